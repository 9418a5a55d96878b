"""Where scores are written to: names that cannot work are refused before the work begins."""

from pathlib import Path

import pytest

from pdloss.commands.tables import TableOptions
from pdloss.errors import SpecError, UserError


def test_a_folder_and_one_file_for_two_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"--csv .* is a folder; name a file in it"), TableOptions(csv=tmp_path).files():
        pass
    same = TableOptions(csv=tmp_path / "a", latex=tmp_path / "b" / ".." / "a")
    with pytest.raises(SpecError, match="--csv and --latex name the same file"), same.files():
        pass


def test_a_file_of_the_users_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(UserError, match=r"mine\.csv"), TableOptions(csv=tmp_path / "mine.csv").files():
        pass
    with TableOptions(csv=tmp_path / "mine.csv", overwrite=True).files():
        (tmp_path / "mine.csv").write_text("new")
    assert (tmp_path / "mine.csv").read_text() == "new"
