"""Tables in GitHub's Markdown; what every writer does is in test_table."""

from pdloss.tables.markdown import escaped


def test_code_in_markdown_stays_code() -> None:
    assert escaped("`a_b` is not a_b") == r"`a_b` is not a\_b"
