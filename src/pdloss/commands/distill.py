"""``pdloss distill``."""

import dataclasses
from collections.abc import Mapping

import tyro

from pdloss.commands.progress import Bar
from pdloss.training.configuration import DistillConfig


def main(argv: list[str]) -> int:
    """Distils, prints the error of each layer and the path of the file, and returns 0.

    Raises:
        UserError: If the teacher or the images cannot be used.
    """
    config = dataclasses.replace(tyro.cli(DistillConfig, args=argv, prog="pdloss distill"), typed=True)
    from pdloss.training.distillation import distill

    with Bar("distilling") as bar:

        def show(step: int, errors: Mapping[str, float]) -> None:
            if not bar.begun:  # one that goes on counts its speed from there
                bar.begin("distilling", step - 1, config.steps)
            bar.update(step, config.steps, lambda: "  ".join(f"{layer} {error:.3f}" for layer, error in errors.items()))

        errors = distill(config, show)
    for layer, error in errors.items():
        print(f"{layer}: relative squared error {error:.4f} on {config.check}")
    print(config.out)
    return 0
