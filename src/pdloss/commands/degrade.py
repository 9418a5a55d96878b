"""``pdloss degrade``."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from pdloss.commands.progress import Bar
from pdloss.specs.trust import TYPED
from pdloss.tasks import task


@dataclass(frozen=True)
class DegradeOptions:
    """Freezes a folder's degraded images into files with hashes; `pdloss evaluate --degraded` measures on them."""

    data: Path
    """Folder of clean photographs."""
    out: Path
    """Folder to write the set to."""
    task: str = "denoise"
    """Restoration task; sets the default of --degradation."""
    degradation: str | None = None
    """Such as "blur(support=1..15) | noise(sigma=0..5/255)"; by default the task's."""
    seed: int = 0
    """With each file's name, chooses everything random."""
    skip_damaged: bool = False
    """Leave out damaged images instead of refusing the folder."""


def main(argv: list[str]) -> int:
    """Writes the set, prints its folder and returns 0.

    Raises:
        UserError: If the data or the degradation cannot be used, or the folder holds another set.
    """
    options = tyro.cli(DegradeOptions, args=argv, prog="pdloss degrade")
    from pdloss.datasets import Photographs
    from pdloss.evaluation.frozen_sets import freeze

    degradation = task(options.task).degradation if options.degradation is None else options.degradation
    with Bar("reading photographs") as bar:
        photographs = Photographs(options.data, split="valid", skip_damaged=options.skip_damaged, progress=bar.update)
        for note in [*photographs.notes, *(f"{name} left out: {why}" for name, why in photographs.skipped.items())]:
            bar.say(note)
        bar.begin("degrading", 0, len(photographs))
        manifest = freeze(photographs, degradation, options.out, options.seed, bar.update, TYPED)
    print(f"{len(manifest.images)} images, {manifest.degradation}, seed {manifest.seed}")
    print(options.out)
    return 0
