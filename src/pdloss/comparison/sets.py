"""Which set of pictures runs have in common: by the targets' pixels, and by its name only where those are not known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pdloss.errors import RunError
from pdloss.records import Scores, read_record


def chosen_files(paths: Sequence[Path], set_name: str | None) -> list[Path]:
    """Returns the score file of each path: itself, or that of the set asked for, or of the one written last in common.

    Raises:
        RunError: If a path holds no scores, or none of that set; if there is no set in common; if one is given twice.
    """
    found = [score_files(path) for path in paths]
    if set_name is None and all(path.is_file() for path in paths):  # whatever their sets are called
        chosen = list(paths)
    else:
        chosen = _of_one_set(paths, found, set_name)
    for i, file in enumerate(chosen):
        if file.resolve() in {other.resolve() for other in chosen[:i]}:
            raise RunError(f"{paths[i]} was given twice; name each run once")
    return chosen


def score_files(path: Path) -> dict[str, Path]:
    """Returns the score files by the name of their set; an archived run may keep them beside its ``config.json``.

    Raises:
        RunError: If there are none.
    """
    if path.is_file():
        if path.suffix != ".json":
            raise RunError(f"{path} is no score file; give run folders, or the score files in them")
        return {path.stem: path}
    if not path.is_dir():
        raise RunError(f"{path} does not exist; give folders that `pdloss train` wrote, or score files")
    # A half-written file of a killed evaluation starts with a dot.
    inside = [file for file in (path / "scores").glob("*.json") if not file.name.startswith(".")]
    beside = [file for file in path.glob("*.json") if not file.name.startswith(".") and _is_scores(file)]
    if not (files := inside or beside):
        if not (path / "config.json").exists() and (near := sorted(path.glob("*/config.json"))):
            named = " ".join(str(run.parent) for run in near[:3])
            raise RunError(f"{path} is no run folder; the runs in it are {named}{' …' if len(near) > 3 else ''}")
        raise RunError(f"{path} has no scores; run `pdloss evaluate {path} --data FOLDER` first")
    return {file.stem: file for file in sorted(files)}


def matched_names(first: Scores, other: Scores) -> dict[str, str] | None:
    """Returns what the first calls each image of the other; None if their contents are not known, or not the same.

    Pictures of equal pixels, of which a set may hold several, are taken in the order of their names.
    """
    ours, theirs = _contents(first), _contents(other)
    if ours is None or ours != theirs:
        return None
    return dict(zip(_by_content(other), _by_content(first), strict=True))


def _by_content(scores: Scores) -> list[str]:
    return [image.name for image in sorted(scores.images, key=lambda image: (image.target_sha256 or "", image.name))]


def _contents(scores: Scores) -> Mapping[str, int] | None:
    """Returns how often each target occurs; None where scores of before pixels were hashed do not tell."""
    hashes = [image.target_sha256 for image in scores.images]
    return Counter(h for h in hashes if h) if hashes and all(hashes) else None


def _is_scores(file: Path) -> bool:
    try:
        read_record(file, Scores)
    except RunError:
        return False
    return True


def _of_one_set(paths: Sequence[Path], found: Sequence[Mapping[str, Path]], wanted: str | None) -> list[Path]:
    contents = cache(lambda file: _contents(read_record(file, Scores)))

    def alike(file: Path, others: Mapping[str, Path]) -> Path | None:
        """Returns the file of the same targets; of the same name where the contents of one are not known."""
        known = contents(file)
        if known is not None and (same := [other for other in others.values() if contents(other) == known]):
            return max(same, key=lambda other: (other.stem == file.stem, other.stat().st_mtime_ns))
        return others.get(file.stem)

    if wanted is None:
        starts = list(found[0].values())
    else:
        named = [files[wanted] for files in found if wanted in files]
        starts = named[:1]
    whole = [row for start in starts if None not in (row := [alike(start, files) for files in found])]
    chosen = [[file for file in row if file is not None] for row in whole]
    if not chosen and wanted is not None:
        path, files = next((p, f) for p, f in zip(paths, found, strict=True) if wanted not in f)
        raise RunError(f"{path} has no scores of {wanted!r}, only of {', '.join(sorted(files))}")
    if not chosen:
        each = "; ".join(f"{path} on {', '.join(sorted(files))}" for path, files in zip(paths, found, strict=True))
        raise RunError(f"the runs were scored on no set in common: {each}")
    return max(chosen, key=lambda row: max(file.stat().st_mtime_ns for file in row))
