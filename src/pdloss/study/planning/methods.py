"""Whose pictures a study compares: folders of pictures, and the scored folders of runs and of other methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pdloss.comparison.scored import Scored, of_one_set, run_folder
from pdloss.errors import ImageError, SpecError
from pdloss.study.planning.cutting import Pictures


@dataclass(frozen=True)
class Compared:
    """The pictures of a study."""

    methods: Mapping[str, Pictures]
    target: Pictures


def compared(texts: Sequence[str], target: Path | None, set_name: str | None = None) -> Compared:
    """Returns the pictures that ``NAME=FOLDER``s and ``FOLDER``s stand for.

    A folder that ``pdloss evaluate`` or ``pdloss score --out`` wrote to stands for the pictures of one scored set, the
    same for all such folders, found by the targets' contents; it has a name already. Any other holds pictures.

    Args:
        texts: As typed.
        target: Folder of what the pictures should be; by default that of the scored sets.
        set_name: Which scored set; by default, of those in common, the one written last.

    Raises:
        SpecError: If a folder of pictures has no name, two have the same, or there is no target.
        RunError: If scored folders have no set in common.
        ImageError: If a scored folder or its targets no longer hold the pictures.
    """
    given = [_split(text) for text in texts]
    places = [place for place, (_, folder) in enumerate(given) if (folder / "scores").is_dir()]
    for place, (name, folder) in enumerate(given):
        if not name and place not in places:
            raise SpecError(
                f"expected METHOD=DIR, such as pdl=restored/pdl, got {str(folder)!r}, which is no folder that "
                "`pdloss evaluate` or `pdloss score --out` wrote to"
            )
    scored = of_one_set([given[place][1] for place in places], set_name) if places else []
    methods: dict[str, Pictures] = {}
    found = dict(zip(places, scored, strict=True))
    for place, (name, folder) in enumerate(given):
        called = name or found[place].name
        if called in methods:
            raise SpecError(f"two methods are called {called!r}; name them apart")
        methods[called] = _restored(found[place]) if place in found else folder
    if target is None and not scored:
        raise SpecError("--target is missing: give the folder of what the pictures should be")
    return Compared(methods, target if target is not None else _targets(scored[0]))


def _split(text: str) -> tuple[str, Path]:
    name, separator, folder = text.partition("=")
    if not separator or Path(text).is_dir():
        return "", Path(text)
    if not (name.strip() and folder):
        raise SpecError(f"expected METHOD=DIR, such as pdl=restored/pdl, got {text!r}")
    return name.strip(), Path(folder)


def _restored(scored: Scored) -> dict[str, Path]:
    folder = run_folder(scored.file) / "restored" / scored.scores.set
    return _there(scored, {name: folder / Path(own).with_suffix(".png") for name, own in _own(scored).items()})


def _targets(scored: Scored) -> dict[str, Path]:
    folder = Path(scored.scores.targets)
    return _there(scored, {name: folder / own for name, own in _own(scored).items()}, "; say where with --target")


def _own(scored: Scored) -> dict[str, str]:
    return {image.name: scored.own_names.get(image.name, image.name) for image in scored.scores.images}


def _there(scored: Scored, files: Mapping[str, Path], cure: str = "; score it again") -> dict[str, Path]:
    if lacking := next((file for file in files.values() if not file.is_file()), None):
        raise ImageError(f"{lacking}, which {scored.name} was scored with, is no longer there{cure}")
    return {str(Path(name).with_suffix("")): file for name, file in files.items()}
