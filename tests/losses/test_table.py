"""The page of all losses."""

from pathlib import Path

from pdloss.losses import table

ROOT = Path(__file__).parents[2]


def test_the_page_of_losses_is_the_one_written_from_them() -> None:
    written = (ROOT / "docs/losses.md").read_text(encoding="utf-8")
    assert written == table.page(), "python -m pdloss.losses.table > docs/losses.md"
