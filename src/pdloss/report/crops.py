"""Aligned crops: where the runs differ most, of images chosen by a stated rule, cut from every picture alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pdloss.errors import RunError
from pdloss.picture_files import Picture, by_key
from pdloss.picture_files.disagreement import disagreement, largest_square
from pdloss.report import pictures
from pdloss.report.headline import contest
from pdloss.report.pictures import Window
from pdloss.report.sources import Comparison, ScoredRun
from pdloss.report.windows import SIDE, chosen
from pdloss.tables.numerals import cost


@dataclass(frozen=True)
class Tile:
    """One crop: of the degraded input, of a run's restored picture, or of the target."""

    kind: Literal["degraded", "run", "target"]
    label: str
    picture: Picture
    run: int | None = None
    """Place of the run in the comparison."""

    @property
    def uri(self) -> str:
        """The crop as a data URI."""
        return pictures.png(self.picture)


@dataclass(frozen=True)
class Strip:
    """The crops of one image, side by side."""

    image: str
    reason: str
    """By which rule the image was chosen."""
    window: Window
    size: tuple[int, int]
    """Height and width of the whole picture."""
    difference: float
    """Mean absolute difference inside the window, in 8-bit levels."""
    locator: str
    """The whole picture, small, as a data URI."""
    tiles: tuple[Tile, ...]


def strips(
    comparison: Comparison, progress: Callable[[int, int], object] | None = None
) -> tuple[list[Strip], list[str]]:
    """Returns the crops of the images chosen by rule, and notes on what is missing.

    In every image the window is the one in which the runs are furthest apart; a single run is compared with the target.

    Args:
        comparison: The runs.
        progress: Told of every image done.

    Raises:
        ImageError: If a picture cannot be read.
        RunError: If the runs' pictures of one image have different sizes.
    """
    runs = [run for run in comparison.runs if (run.folder / "restored" / run.scores.set).is_dir()]
    notes = _without_pictures(comparison, runs)
    found: list[tuple[str, Window, float]] = []
    lacking = []
    for done, image in enumerate(comparison.images, start=1):
        if not runs or not all(run.picture("restored", image).is_file() for run in runs):
            lacking.append(image)
        elif (window := _window(runs, image)) is not None:
            found.append((image, *window))
        if progress:
            progress(done, len(comparison.images))
    if runs and lacking:
        notes.append(f"Some runs lack the restored picture of {', '.join(lacking[:3])}{' …' * (len(lacking) > 3)}.")
    gains = _gains(comparison, [image for image, _, _ in found])
    picked = chosen([apart for _, _, apart in found], gains)
    shown = [_strip(comparison, runs, *found[i], reason) for i, reason in picked]
    if any(strip.tiles[-1].kind != "target" for strip in shown) or (runs and not found and not lacking):
        notes.append("Target pictures are no longer where the runs were scored: their crops are left out.")
    if any(strip.tiles[0].kind != "degraded" for strip in shown):
        notes.append("Some degraded pictures are no longer there: their crops are left out.")
    return shown, notes


def kept(comparison: Comparison, image: str) -> tuple[str, list[ScoredRun]]:
    """Returns an image's full name and the runs that kept their restored picture of it.

    Raises:
        RunError: If there is no such image, or no run keeps its picture.
    """
    keys = by_key(comparison.images)
    alike = [name for name in comparison.images if Path(name).stem == image]
    name = image if image in comparison.images else keys.get(image, alike[0] if len(alike) == 1 else None)
    if name is None:
        known = f"{', '.join(comparison.images[:6])}{', …' * (len(comparison.images) > 6)}"
        raise RunError(f"the runs were not scored on {image!r}, but on {known}")
    runs = [run for run in comparison.runs if run.picture("restored", name).is_file()]
    if not runs:
        raise RunError(f"no run keeps its restored picture of {name}; evaluate the runs again")
    return name, runs


def window_of(comparison: Comparison, image: str) -> Window:
    """Returns the window of one image in which the runs are furthest apart.

    Raises:
        RunError: As `kept`; also if a single run's target is gone, so that there is nothing to compare with.
        ImageError: If a picture cannot be read.
    """
    name, runs = kept(comparison, image)
    found = _window(runs, name)
    if found is None:
        raise RunError(f"the target of {name} is no longer at {runs[0].scores.targets}; give a box")
    return found[0]


def tiles(comparison: Comparison, runs: Sequence[ScoredRun], image: str, window: Window) -> list[Tile]:
    """Returns the crops of one window: of the degraded input, of each run's picture, and of the target.

    Raises:
        ImageError: If a picture cannot be read.
    """
    restored = {run.name: pictures.read(run.picture("restored", image)) for run in runs}
    first = restored[runs[0].name]
    start, end = pictures.degraded(runs, image), pictures.target(runs, image, first.shape)
    found = []
    if start is not None:
        found.append(Tile("degraded", "degraded input", pictures.cut(start, window, first)))
    for index, run in enumerate(comparison.runs):
        if run.name in restored:
            found.append(Tile("run", run.name, pictures.cut(restored[run.name], window, first), index))
    if end is not None:
        found.append(Tile("target", "target", pictures.cut(end, window, first)))
    return found


def _without_pictures(comparison: Comparison, runs: Sequence[ScoredRun]) -> list[str]:
    without = [run.name for run in comparison.runs if run not in runs]
    if not without:
        return []
    if not runs:
        return ["There are no crops: restored pictures are no longer beside the scores."]
    return [f"{', '.join(without)} keep{'s' * (len(without) == 1)} no restored pictures, and no crops are shown of it."]


def _window(runs: Sequence[ScoredRun], image: str) -> tuple[Window, float] | None:
    shown = [pictures.read(run.picture("restored", image)) for run in runs]
    for run, picture in zip(runs, shown, strict=True):
        if picture.shape != shown[0].shape:
            raise RunError(
                f"{image}: {runs[0].name} restored {pictures.size(shown[0])} pixels, {run.name} "
                f"{pictures.size(picture)}; evaluate both on the same pictures"
            )
    if len(runs) == 1:
        other = pictures.target(runs, image, shown[0].shape)
        if other is None:
            return None
        shown.append(other)
    path = pictures.degraded_path(runs, image)
    square = largest_square(disagreement(shown), SIDE, 1 if path is None else _factor(shown[0], pictures.read(path)))
    pairs = len(shown) * (len(shown) - 1) / 2
    return Window(square.top, square.left, square.side, square.side), square.mean / (3 * pairs)


def _gains(comparison: Comparison, images: Sequence[str]) -> list[float] | None:
    """Returns how much better the run in question is on each image, in the metric that it is best in."""
    if (found := contest(comparison)) is None:
        return None
    key, run, against = found
    metric = comparison.metrics[key]
    values = [[comparison.runs[i].by_image[image].restored[key] for image in images] for i in (run, against)]
    return [cost(theirs, metric) - cost(ours, metric) for ours, theirs in zip(*values, strict=True)]


def _strip(
    comparison: Comparison, runs: Sequence[ScoredRun], image: str, window: Window, apart: float, reason: str
) -> Strip:
    first = pictures.read(runs[0].picture("restored", image))
    found = tiles(comparison, runs, image, window)
    return Strip(image, reason, window, first.shape[:2], apart, pictures.thumbnail(first), tuple(found))


def _factor(restored: Picture, start: Picture) -> int:
    """Returns how many times smaller the degraded picture is; 1 if no whole number says it."""
    height, width = start.shape[:2]
    factor = restored.shape[0] // height
    whole = (height * factor, width * factor) == restored.shape[:2]
    return factor if whole and 1 <= factor <= min(SIDE, *restored.shape[:2]) else 1
