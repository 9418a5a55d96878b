"""Tables in a terminal, however narrow."""

from pdloss.tables.table import Table
from tests.tables.reading import shown


def test_numbers_that_do_not_fit_stand_below_and_each_part_names_the_rows() -> None:
    wide = Table("t", ("run", *(f"metric {i}" for i in range(9))), (("a run", *(f"{i}.00" for i in range(9))),))
    lines = shown(wide, 40)
    assert all(len(line) <= 40 for line in lines)
    assert sum(line.split()[:2] == ["a", "run"] for line in lines) == 2 * 3
    for i in range(9):
        assert sum(f"{i}.00" in line for line in lines) == 2


def test_a_name_that_steers_a_terminal_is_spelled_out() -> None:
    assert any(r"\x1b[2J" in line for line in shown(Table("t", ("", "x"), (("\x1b[2J", "1"),)), 80))
