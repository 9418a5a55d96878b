"""How numbers are written, wherever they are shown."""

import pytest

from pdloss.records import Metric
from pdloss.tables.numerals import between, decimals, equal_text, four_figures, heading, number, p_text

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize("value", [-0.001, 0.001, -0.0, 0.0])
def test_what_rounds_to_zero_has_no_sign_in_any_way_of_writing_it(value: float) -> None:
    assert number(value, 2) == number(value, 2, sign=True) == "0.00"


def test_signs_are_true_minus_signs_and_plus_on_request() -> None:
    assert (number(-1.234, 2), number(1.235, 1, sign=True), number(-2, 0, sign=True)) == (
        f"{MINUS}1.23",
        "+1.2",
        f"{MINUS}2",
    )


def test_headings_point_towards_the_better() -> None:
    metric = Metric(label="PSNR", unit="dB", better="higher", protocol="")
    assert heading(metric) == "PSNR (dB) ↑"
    assert heading(Metric(label="Bias", better="zero", protocol="")) == "Bias →0"


def test_equal_images_stand_in_words() -> None:
    assert (equal_text(2, -0.001, 2), equal_text(3, None, 2)) == ("0.00 without 2 equal", "3 equal")


def test_figures_and_p_values() -> None:
    assert [decimals(v) for v in (29.83, 1.5, 0.1234, 1.79e-4, 0.0)] == [2, 3, 4, 6, 4]
    assert [p_text(p) for p in (1.0, 0.0123, 9e-5, None)] == ["1", "0.012", "<0.0001", "\N{EN DASH}"]


def test_an_interval_is_written_with_true_minus_signs() -> None:
    assert between(-0.123, 0.1, 2, sign=True) == f"[{MINUS}0.12, +0.10]"
    assert between(-0.001, 0.1, 2) == "[0.00, 0.10]"


def test_a_column_has_the_figures_of_its_smallest_number() -> None:
    assert [decimals(29.83, 9.5), decimals(29.83, 31.0), decimals(-1.79e-4, 2e-4), decimals()] == [3, 2, 6, 2]


def test_four_figures_have_true_minus_signs_in_the_power_too() -> None:
    assert [four_figures(v) for v in (-0.12345, 3e-7, -0.0, 29.8312, 123456.0)] == [
        f"{MINUS}0.1235", f"3e{MINUS}7", "0", "29.83", "1.235e+05",
    ]  # fmt: skip
