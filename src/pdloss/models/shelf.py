"""Which trained networks ship with the package, and what a name stands for; no torch here."""

from collections.abc import Mapping
from pathlib import Path

from pdloss.errors import RunError
from pdloss.specs import suggestion

SHELF = Path(__file__).parent / "weights"
"""Where they lie: of each ``NAME.safetensors``, its scores ``NAME.json`` and its card ``NAME.md``."""


def shipped(shelf: Path | None = None) -> dict[str, Path]:
    """Returns the files of the networks that ship, by name; none where none do."""
    return {path.stem: path for path in sorted((shelf or SHELF).glob("*.safetensors"))}


def place_of(model: str | Path, shelf: Path | None = None) -> Path:
    """Returns what a name stands for: a network that ships, or a run folder or file of that name.

    A network that ships comes first; ``./jpeg`` is the folder of that name.

    Raises:
        RunError: If there is neither, and it is called as a network that might ship.
    """
    known = shipped(shelf)
    if isinstance(model, str) and model in known:
        return known[model]
    path = Path(model)
    if not path.exists() and path.name == str(model) and not path.suffix:
        raise RunError(f"{model} is no model that ships, and no run folder or file{_guess(str(model), known)}")
    return path


def named(name: str, shelf: Path | None = None) -> Path:
    """Returns the file of a network that ships.

    Raises:
        RunError: If there is none of that name.
    """
    known = shipped(shelf)
    if name not in known:
        raise RunError(f"no model of the name {name!r} ships{_guess(name, known)}")
    return known[name]


def _guess(name: str, known: Mapping[str, Path]) -> str:
    if not known:
        return "; none ships with this copy of pdloss: train one with pdloss train"
    return suggestion(name, known)
