"""Which trained networks ship with the package, and what a name stands for; no torch here."""

from collections.abc import Mapping
from pathlib import Path

from pdloss.errors import MissingExtraError, RunError
from pdloss.files.downloads import say
from pdloss.models.addresses import Repository, address, is_hub_address, repository_of
from pdloss.specs import suggestion

SHELF = Path(__file__).parent / "weights"
"""Where they lie: of each ``NAME.safetensors``, its scores ``NAME.json`` and its card ``NAME.md``."""


def shipped(shelf: Path | None = None) -> dict[str, Path]:
    """Returns the files of the networks that ship, by name; none where none do."""
    return {path.stem: path for path in sorted((shelf or SHELF).glob("*.safetensors"))}


def place_of(model: str | Path, shelf: Path | None = None) -> Path:
    """Returns what a name stands for: a network that ships, a run folder, model folder or file, or one from the Hub.

    A network that ships comes first; ``./jpeg`` is the folder of that name. Then comes what lies here; ``owner/name``,
    with or without ``@revision``, is the Hub's where nothing of that name does, nor a folder ``owner`` in which it was
    mistyped. ``hf://owner/name`` is the Hub's in any case.

    Raises:
        RunError: If there is none of these, or the Hub's cannot be had.
        MissingExtraError: If it is the Hub's, and huggingface_hub is not installed.
    """
    if isinstance(model, Path):
        return model
    known, path = shipped(shelf), Path(model)
    if model in known:
        return known[model]
    repository = repository_of(model)
    if is_hub_address(model):
        return _of_hub(model, repository)
    if repository is not None and path.exists():
        _say_which(model, repository)
    elif repository is not None and path.parent.is_dir():
        from pdloss.runs import no_run

        raise RunError(f"{no_run(path)}; the repository of that name on the Hub is {address(repository)}")
    elif repository is not None:
        try:
            return _of_hub(model, repository)
        except (RunError, MissingExtraError) as error:
            raise RunError(f"there is no {model} here, and on the Hub: {error}") from None
    if not path.exists() and path.name == model and not path.suffix:
        raise RunError(f"{model} is no model that ships, and no run folder or file{_guess(model, known)}")
    return path


def first_weights(init: Path | None, shelf: Path | None = None) -> Path | None:
    """Returns what ``--init`` means: a network that ships, by its name, else the run folder or file itself."""
    return shipped(shelf).get(str(init), init)


def name_of(model: str, place: Path) -> str:
    """Returns what a model is called, as its files are.

    Args:
        model: Its name.
        place: What `place_of` says that it stands for.
    """
    repository = repository_of(model)
    if repository is not None and Path(model) != place:  # in the cache its folder is called after a commit
        return repository.name.partition("/")[2]
    return place.resolve().name if place.is_dir() else place.stem


def _of_hub(text: str, repository: Repository | None) -> Path:
    from pdloss.models.hub import fetch

    if repository is None:
        raise RunError(f"{text} is no repository of the Hub: write hf://owner/name, or hf://owner/name@revision")
    return fetch(repository)


def _say_which(model: str, repository: Repository) -> None:
    """Says which of two is meant, where a repository of that name was in use before."""
    from pdloss.models.hub import fetched_before

    if fetched_before(repository):
        say(f"{model} is what lies here, and not the repository of the Hub, which is {address(repository)}")


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
