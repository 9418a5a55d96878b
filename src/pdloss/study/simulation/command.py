"""``pdloss study simulate``: made-up raters for a dry run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from pdloss.errors import SpecError
from pdloss.files import output
from pdloss.files.options import OverwriteOptions
from pdloss.records import read_record
from pdloss.study.answers import write_answers
from pdloss.study.records import StudyDesign
from pdloss.tables import terminal


@dataclass(frozen=True, kw_only=True)
class SimulateOptions(OverwriteOptions):
    """Lets made-up raters with known preferences answer a study, to try its analysis before anyone is asked."""

    design: tyro.conf.Positional[Path]
    """The study's folder, or its design.json."""
    preferences: str
    """Score of every method, such as "pdl=0.6,l1=-0.3,none=-0.3"; 0.4 more means preferred in 60 %."""
    out: Path
    """File to write the answers to, as CSV."""
    model: Literal["bradley-terry", "thurstone"] = "bradley-terry"
    """In whose units the scores are."""
    raters: int | None = None
    """Honest raters; by default as many as planned."""
    noise: float = 0.0
    """Share of their answers given without looking."""
    cheaters: int = 0
    """Raters more who click at once, stay on one side, or guess, by turns."""
    side_bias: float = 0.0
    """Added to the score of what stands on the left."""
    rater_spread: float = 0.0
    """Standard deviation of each method's score between raters."""
    image_spread: float = 0.0
    """Standard deviation of each method's score between images."""
    tie: float = 0.0
    """How easily raters see no difference, where the design lets them say so; 1 for a third of equal pairs."""
    seed: int = 0
    """Of all that is drawn."""


def main(argv: list[str]) -> int:
    """Simulates, writes the answers, prints their path and returns 0.

    Raises:
        UserError: If the design cannot be read, or the preferences do not fit it.
    """
    options = tyro.cli(SimulateOptions, args=argv, prog="pdloss study simulate")
    from pdloss.study.simulation.raters import Population, simulate

    for name in ("raters", "cheaters"):
        if (count := getattr(options, name)) is not None and count < 0:
            raise SpecError(f"--{name} {count} is less than nobody")
    path = options.design / "design.json" if options.design.is_dir() else options.design
    population = Population(
        scores=scores(options.preferences),
        model=options.model,
        noise=options.noise,
        tie=options.tie,
        side_bias=options.side_bias,
        rater_spread=options.rater_spread,
        image_spread=options.image_spread,
    )
    answers = simulate(read_record(path, StudyDesign), population, options.raters, options.cheaters, options.seed)
    with output(options.out, overwrite=options.overwrite):
        write_answers(options.out, answers)
    terminal.say([str(options.out)])
    return 0


def scores(text: str) -> dict[str, float]:
    """Returns the scores of ``"pdl=0.6,l1=-0.3"``.

    Raises:
        SpecError: If a part is not a name and a finite number, or a method comes twice.

    Example:
        >>> scores("pdl=0.6, l1=-.3")
        {'pdl': 0.6, 'l1': -0.3}
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.rpartition("="))
        try:
            score = float(value)
        except ValueError:
            score = float("nan")
        if not name or abs(score) > 100 or score != score:
            raise SpecError(f"in {text!r}, at {part.strip()!r}: expected METHOD=SCORE, such as pdl=0.6")
        if name in found:
            raise SpecError(f"in {text!r}: {name!r} has two scores")
        found[name] = score
    return found
