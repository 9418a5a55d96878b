"""What of an earlier evaluation is used again: scores of the same weights, photographs, degradation and metrics."""

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from pdloss.assets import sha256
from pdloss.errors import RunError
from pdloss.files import name_inside, path_inside
from pdloss.files.spelling import as_path
from pdloss.picture_files import written_names
from pdloss.records import ImageScores, Scores, read_record
from pdloss.runs import RunFolder


def scores_file(folder: RunFolder, set_name: str) -> Path:
    """Returns where a run keeps its scores on a set.

    Raises:
        UserError: If the set's name is no plain name, or a symbolic link would lead out of the run's folder.
    """
    name_inside(folder.path, set_name, "--set")
    return path_inside(folder.path, f"scores/{set_name}.json")


def picture_file(folder: RunFolder, set_name: str, image: str, kind: str = "restored") -> Path:
    """Returns where a run keeps its ``restored`` or ``degraded`` picture of an image.

    Args:
        folder: The run.
        set_name: The set.
        image: What `pdloss.picture_files.written_names` makes of the image's name.
        kind: Which of the two.

    Raises:
        UserError: As `scores_file`.
    """
    name_inside(folder.path / kind, set_name, "--set")
    return path_inside(folder.path, f"{kind}/{set_name}/{as_path(image)}")


def reusable(folder: RunFolder, asked: Scores, names: Sequence[str]) -> Scores | None:
    """Returns the scores on disk, if what they were taken of is unchanged and its pictures are still there.

    Args:
        folder: The run.
        asked: The scores that are asked for, still without values.
        names: The images that they would be of.
    """
    try:
        before = read_record(scores_file(folder, asked.set), Scores)
    except RunError:  # none yet, or written by another version
        return None
    for field in ("weights_sha256", "targets_sha256", "degradation"):
        if getattr(before, field) != getattr(asked, field):
            return None
    if [image.name for image in before.images] != list(names):
        return None
    files = written_names(names)
    there = all(_unchanged(picture_file(folder, asked.set, files[image.name]), image) for image in before.images)
    return before if there else None


def lacking(before: Scores, asked: Scores) -> set[str]:
    """Returns the metrics asked for that are not there, or were taken in another way."""
    there = before.metrics | before.set_metrics
    return {name for name, metric in (asked.metrics | asked.set_metrics).items() if there.get(name) != metric}


def joined(before: Scores, new: Scores) -> Scores:
    """Returns the scores with those of more metrics added, image by image; the new ones count where both have one."""
    images = [
        replace(
            image,
            restored=image.restored | more.restored,
            degraded=image.degraded | more.degraded,
            target_sha256=more.target_sha256,
        )
        for image, more in zip(before.images, new.images, strict=True)
    ]
    return replace(
        new,
        images=images,
        metrics=before.metrics | new.metrics,
        set_metrics=before.set_metrics | new.set_metrics,
        sets=before.sets | new.sets,
        degraded_sets=before.degraded_sets | new.degraded_sets,
        seconds=before.seconds + new.seconds,
    )


def _unchanged(path: Path, image: ImageScores) -> bool:
    return path.is_file() and sha256(path) == image.restored_sha256
