"""Verdicts as Markdown."""

from pdloss.conformance import CHECKS, Verdict
from pdloss.conformance.tables import page, summary


def test_markdown_keeps_its_columns_whatever_is_said() -> None:
    checks = CHECKS["perceptual"][:1]
    text = page("pdloss conformance a:b", checks, {"a:b": [Verdict(checks[0].name, False, "|u|\n<v>")]})
    assert "| zero at equality | FAIL | \\|u\\| &lt;v> |" in text
    assert "Does not conform: 0 pass, 1 fail, 0 not judged." in text
    assert summary([Verdict("a", True, ""), Verdict("b", None, "")]) == "conforms: 1 pass, 0 fail, 1 not judged"
