"""Verdicts as Markdown: one matrix of checks and losses, then what was seen of each loss."""

from collections.abc import Mapping, Sequence

from pdloss.conformance.findings import Check, Verdict


def summary(verdicts: Sequence[Verdict]) -> str:
    """Returns a line such as ``"conforms: 12 pass, 0 fail, 1 not judged"``."""
    count = {passed: sum(verdict.passed is passed for verdict in verdicts) for passed in (True, False, None)}
    word = "does not conform" if count[False] else "conforms"
    return f"{word}: {count[True]} pass, {count[False]} fail, {count[None]} not judged"


def markdown(command: str, checks: Sequence[Check], results: Mapping[str, Sequence[Verdict]]) -> str:
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
        _table(["check", *(f"`{name.rpartition(':')[2]}`" for name in results)], matrix),
        "## What each check asks",
        _table(["check", "why it must hold"], [[check.name, check.why] for check in checks]),
    ]
    for name, verdicts in results.items():
        parts += [f"## `{name}`", summary(verdicts)[:1].upper() + summary(verdicts)[1:] + "."]
        parts.append(_table(["check", "", "what was seen"], [[v.name, v.word, v.said] for v in verdicts]))
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Returns text that Markdown shows as it is: no end of the cell, no HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
