"""Verdicts in tables: what was seen of one loss, and a page of several, with one matrix of checks and losses."""

from collections.abc import Mapping, Sequence

from pdloss.conformance.findings import Check, Verdict
from pdloss.tables.markdown import markdown
from pdloss.tables.table import Cell, Table

_STYLES = {True: "green", False: "bold red", None: "dim"}


def summary(verdicts: Sequence[Verdict]) -> str:
    """Returns a line such as ``"conforms: 12 pass, 0 fail, 1 not judged"``."""
    count = {passed: sum(verdict.passed is passed for verdict in verdicts) for passed in (True, False, None)}
    word = "does not conform" if count[False] else "conforms"
    return f"{word}: {count[True]} pass, {count[False]} fail, {count[None]} not judged"


def table(title: str, verdicts: Sequence[Verdict]) -> Table:
    """Returns the verdicts of one loss: a row for each check, with what was seen."""
    rows = tuple((v.name, Cell(v.word, style=_STYLES[v.passed]), v.said) for v in verdicts)
    return Table(title, ("check", "", "what was seen"), rows, left=3)


def page(command: str, checks: Sequence[Check], results: Mapping[str, Sequence[Verdict]]) -> str:
    """Returns the page that `command` writes about losses, given their verdicts by name."""
    verdicts_by_check = zip(*results.values(), strict=True)
    matrix = [[check.name, *(v.word for v in row)] for check, row in zip(checks, verdicts_by_check, strict=True)]
    parts = [
        "# Conformance of losses on feature maps",
        "`pdloss conformance package.module:callable` asks of any loss on feature maps, yours or anybody's, whether it "
        "does what its kind must; `pdloss.conformance.assert_conforms` asks the same in a test. This page is what one "
        "such command says, run in the folder of the README:",
        f"    {command}",
        "*pass*: it does. *FAIL*: it does not; the reason stands below. *-*: does not apply, or is only noted.",
        _written(["check", *(f"`{name.rpartition(':')[2]}`" for name in results)], matrix),
        "## What each check asks",
        _written(["check", "why it must hold"], [[check.name, check.why] for check in checks]),
    ]
    for name, verdicts in results.items():
        parts += [f"## `{name}`", summary(verdicts)[:1].upper() + summary(verdicts)[1:] + "."]
        parts.append(markdown([table("", verdicts)]).rstrip("\n"))
    return "\n\n".join(parts) + "\n"


def _written(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown([Table("", tuple(headings), tuple(map(tuple, rows)), left=len(headings))]).rstrip("\n")
