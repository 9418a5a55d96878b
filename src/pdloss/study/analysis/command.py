"""``pdloss study analyse``: preference table, scores, tests and one page, out of a study's answers."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from pdloss.errors import SpecError, UserError
from pdloss.files import output, write_text
from pdloss.files.options import OverwriteOptions
from pdloss.records import Scores, read_record, write_record
from pdloss.study.answers import check_answers, read_answers
from pdloss.study.records import Answer, StudyDesign
from pdloss.study.serving.reading import study_answers
from pdloss.tables import terminal
from pdloss.tables.latex import latex

if TYPE_CHECKING:
    from pdloss.study.analysis.result import Analysis

FILES = ("index.html", "analysis.json", "analysis.csv", "analysis.tex")
"""What an analysis writes."""


@dataclass(frozen=True, kw_only=True)
class AnalyseOptions(OverwriteOptions):
    """Says what people prefer: preference table, scores, errors and tests, on one page and as JSON, CSV and LaTeX."""

    study: tyro.conf.Positional[Path]
    """Folder of the study; or anybody's CSV or JSON file with the columns rater, image, left, right, choice."""
    answers: Path | None = None
    """File of answers to the study, such as simulated ones; by default those in its database."""
    database: str | None = None
    """As given to the server."""
    out: Path | None = None
    """Folder for the files; by default the folder analysis in the study's, or beside the file."""
    scores: tuple[str, ...] = ()
    """METHOD=RUN for every method: its run folder or score file, to see which metrics agree with people."""
    set: str | None = None
    """Which scored set of the runs; by default, of those in common, the one written last."""
    prior: float = 0.0
    """Wins added on both sides of every compared pair, such as 0.5, so that an undefeated method has a score."""
    seed: int = 0
    """Of the resamples."""


def main(argv: list[str]) -> int:
    """Analyses, prints the tables and the files' paths, and returns 0.

    Raises:
        UserError: If the study, its answers or the scores cannot be used.
    """
    options = tyro.cli(AnalyseOptions, args=argv, prog="pdloss study analyse")
    if not 0 <= options.prior < float("inf"):
        raise SpecError(f"--prior {options.prior:g} must be a number of wins, such as 0.5")
    design, answers = _read(options)
    out = options.out or (options.study if design else options.study.parent) / "analysis"
    with output(*(out / name for name in FILES), overwrite=options.overwrite):
        _analyse(options, design, answers, out, shlex.join(["pdloss", "study", "analyse", *argv]))
    return 0


def _analyse(
    options: AnalyseOptions, design: StudyDesign | None, answers: list[Answer], out: Path, command: str
) -> None:
    from pdloss.study.analysis import tables
    from pdloss.study.analysis.result import analyse

    result = analyse(
        answers,
        design.rules if design else None,
        methods=design.methods if design else None,
        title=design.title if design else options.study.stem,
        scores=_scores(options.scores, options.set),
        targets={image.id: image.target for image in design.images} if design else None,
        prior=options.prior,
        seed=options.seed,
    )
    terminal.show(tables.tables(result))
    terminal.say(map(str, write_analysis(result, out, command)))


def write_analysis(analysis: "Analysis", out: Path, command: str) -> list[Path]:
    """Returns the files written, each whole or not at all: `FILES`.

    Args:
        analysis: What to write.
        out: Folder for the files; made if absent, older ones are replaced.
        command: By which the page can be made again.
    """
    from pdloss.study.analysis import tables
    from pdloss.study.analysis.page import page

    html = page(analysis, command)
    paths = [out / name for name in FILES]
    write_text(paths[0], html)
    write_record(paths[1], analysis)
    write_text(paths[2], tables.numbers_csv(analysis))
    write_text(paths[3], latex(tables.tables(analysis)))
    return paths


def _read(options: AnalyseOptions) -> tuple[StudyDesign | None, list[Answer]]:
    """Returns the design, if there is one, and the answers."""
    if not options.study.exists():
        raise UserError(f"{options.study} does not exist; give the folder of a study, or a file of answers")
    if options.study.is_file():
        if options.answers or options.database:
            raise SpecError("--answers and --database belong to the folder of a study, not to a file of answers")
        return None, read_answers(options.study)
    if options.answers and options.database:
        raise SpecError("--answers and --database both say where the answers are; give one of them")
    design = read_record(options.study / "design.json", StudyDesign)
    answers = read_answers(options.answers) if options.answers else study_answers(options.study, options.database)
    check_answers(answers, design)
    return design, answers


def _scores(texts: Sequence[str], set_name: str | None) -> dict[str, Scores]:
    """Returns the scores of each method, found comparable."""
    from pdloss.comparison import comparable

    paths: dict[str, Path] = {}
    for text in texts:
        method, separator, path = text.partition("=")
        if not (separator and method and path):
            raise SpecError(f"expected METHOD=RUN, such as pdl=runs/dn-pdl, got {text!r}")
        if method in paths:
            raise SpecError(f"{method!r} has two runs, {paths[method]} and {path}; give one")
        paths[method] = Path(path)
    if not paths:
        return {}
    if len(paths) == 1:
        raise SpecError(f"there are scores of {next(iter(paths))} alone; give those of every method")
    runs = comparable(list(paths.values()), set_name).runs
    return {method: run.scores for method, run in zip(paths, runs, strict=True)}
