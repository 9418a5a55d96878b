"""The text of a choice as a tree: what is long, deep or forged is not read."""

import ast

import pytest

from pdloss.errors import SpecError
from pdloss.specs.expressions import check_words, expression, operands, own_path, shown
from pdloss.specs.trust import RECEIVED, trusting


@pytest.mark.parametrize("letter", ["a", "a.", "'", "a:", "\\", "(", "9", "'\\"])
def test_a_text_of_a_hundred_thousand_letters_is_refused_at_the_door(letter: str) -> None:
    with pytest.raises(SpecError, match=r"has 10\d,\d{3} letters, and at most 20,000 are read"):
        expression(letter * (100_000 // len(letter)) + "x" * 9, "thing")


@pytest.mark.parametrize("letter", ["a", "a.", "'", "a:", "\\", "'\\", '"', "a'", ".."])
def test_the_longest_text_is_searched_in_a_number_of_steps_that_grows_with_its_length(letter: str) -> None:
    try:  # without the bound on words, each start would be followed to the end: this would take minutes
        expression(letter * (19_990 // len(letter)), "thing")
    except SpecError as error:
        assert len(str(error)) < 1000  # noqa: PT017


def test_the_colon_of_a_class_is_known_from_an_attribute() -> None:
    call = expression("a.b:C(x=1)", "thing")
    assert isinstance(call, ast.Call)
    assert own_path(call.func) == "a.b:C"
    assert own_path(expression("a.b.C", "thing")) == ""


@pytest.mark.parametrize("text", ["a._colon_.B", "a._\N{FULLWIDTH LATIN SMALL LETTER C}olon_.B", "a:B | a._colon_.B"])
def test_who_writes_what_stands_for_the_colon_is_not_understood(text: str) -> None:
    with pytest.raises(SpecError, match="_colon_ is not a name"):
        expression(text, "thing")


@pytest.mark.parametrize(
    "word", ["os:system", "f(x=os:system)", "f(x='os:system')", "'o' 's:system'", r"f(x='os\x3asystem')", '"os:s" "y"']
)
def test_code_named_in_a_word_is_found_however_it_is_quoted(word: str) -> None:
    call = expression(f"loss(features={word!r})", "thing")
    with pytest.raises(SpecError, match="the module os was not imported"):
        check_words(call, RECEIVED)
    check_words(call, trusting("os"))


@pytest.mark.parametrize("word", ["vgg19.relu3_4+relu4_4", "a/b.safetensors.relu4_3", "C:/x/y.safetensors", "x: y", ""])
def test_words_that_name_no_code_pass(word: str) -> None:
    check_words(expression(f"loss(features={word!r})", "thing"), RECEIVED)


def test_operands_come_from_left_to_right_and_are_counted() -> None:
    tree = expression("a + b*c + (d + e)", "thing")
    assert [ast.unparse(part) for part in operands(tree, ast.Add, "")] == ["a", "b * c", "d", "e"]
    assert len(operands(expression("+".join("a" * 64), "thing"), ast.Add, "")) == 64
    with pytest.raises(SpecError, match="joins 65 parts, and at most 64"):
        operands(expression("+".join("a" * 65), "thing"), ast.Add, "a+a")


def test_long_texts_are_quoted_in_part() -> None:
    assert shown("x" * 400) == "'" + "x" * 300 + "'…"
