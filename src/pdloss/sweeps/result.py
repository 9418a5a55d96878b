"""What came of a sweep on one set: scores, planes, losses at equal fidelity, a recommended weight; page, text, tables.

No machinery of its own: it calls what `pdloss compare` and `pdloss report` call.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pdloss.comparison import compare, compare_matched
from pdloss.comparison.tables import numbers_csv
from pdloss.comparison.tables import tables as compared_tables
from pdloss.errors import MissingExtraError, RunError, SpecError
from pdloss.files import output, write_text
from pdloss.picture_files.patterns import set_name
from pdloss.report import write_report
from pdloss.report.export import compared_table, paper_csv
from pdloss.report.headline import fidelity
from pdloss.report.paper_comparison import PaperRows, paper_comparison
from pdloss.report.points import points_of, points_table, recommendation
from pdloss.report.sources import Comparison, read_comparison
from pdloss.tables.latex import latex
from pdloss.tables.markdown import escaped, markdown
from pdloss.tables.table import Table


def sets_of(evaluate: Mapping[str, object]) -> list[str]:
    """Returns the names under which ``[evaluate]`` keeps its sets in the run folders."""
    named, data = evaluate.get("set") or [], evaluate["data"]
    given = [named] if isinstance(named, str) else list(named)  # type: ignore[call-overload]
    folders = [data] if isinstance(data, str) else list(data)  # type: ignore[call-overload]
    return [str(name) for name in given] or [set_name(Path(str(folder))) for folder in folders]


def write_result(
    runs: Sequence[Path],
    out: Path,
    name: str,
    paper: PaperRows | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> tuple[list[Path], list[str]]:
    """Writes ``result.md``, ``result.tex``, CSV tables, ``index.html``, and its figures as files, into a folder.

    Args:
        runs: Scored run folders; differences are against the first.
        out: The folder.
        name: Of the scored set.
        paper: Which of the paper's tables to show, if one.
        progress: Told of every image whose pictures have been compared, and of how many there are.

    Returns:
        The files, and what is to be said: the recommendation, and what could not be had.

    Raises:
        RunError: If the runs cannot be compared.
        UserError: If a file cannot be written, or another's stands in its place.
    """
    comparison = read_comparison(runs, name)
    points = points_of(comparison)
    said = recommendation(comparison, points)
    papers, differences = paper_comparison(comparison, paper) if paper else ([], [])
    tables = [compared_table(table, differences) for table in papers]
    tables += [points_table(comparison, points)]
    texts = {f"table-{i}.csv": paper_csv(table, differences) for i, table in enumerate(papers, start=1)}
    if len(runs) > 1:
        texts["scores.csv"] = numbers_csv(compare(runs, name))
        matched, matched_csv, missing = _matched(runs, name, comparison)
        tables += matched
        texts |= {"matched.csv": matched_csv} if matched else {}
        said += missing
    texts["result.md"] = "\n\n".join([f"# {out.name}", *map(escaped, said), markdown(tables)])
    texts["result.tex"] = latex([replace(tables[0], remarks=(*said, *tables[0].remarks)), *tables[1:]])
    files = [out / file for file in texts]
    with output(*files):
        out.mkdir(parents=True, exist_ok=True)
        for file, text in zip(files, texts.values(), strict=True):
            write_text(file, text)
    try:
        figures = out / "figures"
        files.append(write_report(runs, out, name, paper=paper or False, export_to=figures, progress=progress))
        files.append(figures)
    except MissingExtraError as error:
        said.append(f"no page: {error}")
    return files, said


def _matched(runs: Sequence[Path], name: str, comparison: Comparison) -> tuple[list[Table], str, list[str]]:
    """Returns the losses compared at equal PSNR, with the area that each wins; or why they are not."""
    if (key := fidelity(comparison)) is None:
        return [], "", ["Losses are not compared at equal PSNR: it was not measured."]
    try:
        matched = compare_matched(runs, key, name)
    except (RunError, SpecError) as error:
        return [], "", [f"Losses are not compared at equal PSNR: {error}."]
    return compared_tables(matched), numbers_csv(matched), []
