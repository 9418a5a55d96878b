"""The language of choices: text and object say the same, nothing is evaluated, errors name the word at fault."""

import dataclasses
import keyword
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta

from pdloss.errors import RunError, SpecError
from pdloss.specs import Choice, Family, Own, Range, check_known, read_sum, suggestion, sum_text
from pdloss.specs.trust import TYPED


@dataclass(frozen=True)
class Plain(Choice, name="plain"):
    """Without options."""


@dataclass(frozen=True)
class Smooth(Choice, name="smooth"):
    """With an option of every type."""

    sigma: Annotated[float, Meta(ge=0, le=10)] = 1.0
    size: Annotated[int, Meta(ge=1)] = 3
    border: Literal["zero", "wrap"] = "zero"
    note: str = ""
    fast: bool = True
    limit: float | None = None
    widths: tuple[int, ...] = (1,)


FEW = Range(2, 4)


@dataclass(frozen=True)
class Drawn(Choice, name="drawn"):
    """With options that a range may stand for."""

    strength: Annotated[float, Meta(ge=-5, le=10)] | Range = 1.0
    count: Annotated[int, Meta(ge=1)] | Range | None = FEW


few = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
FILTERS = Family("filter", (Plain, Smooth))
DRAWN = Family("filter", (Plain, Drawn))

numbers = st.floats(allow_nan=False, allow_infinity=False)
smooths = st.builds(
    Smooth,
    sigma=st.floats(0, 10),
    size=st.integers(1, 10**30),
    border=st.sampled_from(["zero", "wrap"]),
    note=st.text() | st.text("ab'\":.\\ "),
    fast=st.booleans(),
    limit=st.none() | numbers,
    widths=st.lists(st.integers()).map(tuple),
)
strengths = st.floats(-5, 10)
ranges = st.tuples(strengths, strengths).map(lambda pair: Range(*sorted(pair)))
logs = st.tuples(st.floats(1e-300, 10), st.floats(1e-300, 10)).map(lambda pair: Range(*sorted(pair), log=True))
counts = st.tuples(st.integers(1, 10**30), st.integers(1, 10**30)).map(lambda pair: Range(*sorted(pair)))
drawns = st.builds(Drawn, strength=strengths | ranges | logs, count=st.none() | st.integers(1) | counts)
simple = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | numbers | st.text() | st.text("ab'\":.\\ ")
owns = st.builds(
    Own,
    path=st.from_regex(r"[a-z]{1,4}(\.[a-z_]{1,4}){0,2}:[A-Z][a-z]{0,3}", fullmatch=True).filter(
        lambda path: not any(map(keyword.iskeyword, path.replace(":", ".").split(".")))
    ),
    arguments=st.dictionaries(st.sampled_from(["a", "strength", "of_what"]), simple | st.lists(simple)),
)
choices = st.just(Plain()) | smooths | owns


@few
@given(choices)
def test_the_text_of_a_choice_makes_it_again(choice: Choice) -> None:
    assert FILTERS.parse(str(choice), TYPED) == choice
    assert FILTERS.parse(choice.in_full(), TYPED) == choice


@few
@given(st.lists(drawns, min_size=1, max_size=3))
def test_the_text_of_a_choice_with_ranges_makes_it_again(chain: list[Drawn]) -> None:
    read = DRAWN.parse_chain(" | ".join(choice.in_full() for choice in chain))
    assert read == DRAWN.parse_chain(" | ".join(map(str, chain))) == tuple(chain)
    assert len({*read, *chain}) == len(set(chain))


@few
@given(st.lists(st.tuples(st.floats(0, 1e300), choices), min_size=1, max_size=4))
def test_the_text_of_a_sum_makes_it_again(terms: list[tuple[float, Choice]]) -> None:
    assert FILTERS.parse_sum(sum_text([(weight, str(choice)) for weight, choice in terms]), TYPED) == tuple(terms)


@few
@given(st.lists(choices, min_size=1, max_size=4))
def test_the_text_of_a_chain_makes_it_again(chain: list[Choice]) -> None:
    assert FILTERS.parse_chain(" | ".join(map(str, chain)), TYPED) == tuple(chain)


@few
@given(choices, choices)
def test_equal_choices_have_equal_hashes(one: Choice, other: Choice) -> None:
    assert len({one, other}) == (1 if one == other else 2)


def test_own_choices_are_equal_in_any_order_of_their_arguments() -> None:
    assert len({Own("a.b:C", {"x": 1, "y": 2}), Own("a.b:C", {"y": 2, "x": 1})}) == 1


def test_text_shows_what_differs_from_the_defaults_and_in_full_shows_all() -> None:
    assert str(Smooth()) == "smooth"
    assert str(Smooth(sigma=0.01, border="wrap")) == "smooth(sigma=0.01, border='wrap')"
    assert Smooth(size=5).in_full() == (
        "smooth(sigma=1, size=5, border='zero', note='', fast=True, limit=None, widths=(1,))"
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("plain", [(1.0, Plain())]),
        ("  plain + 0.01*smooth  ", [(1.0, Plain()), (0.01, Smooth())]),
        ("2*3*plain", [(6.0, Plain())]),
        ("plain*0.5", [(0.5, Plain())]),
        ("1/4*smooth(sigma=100/255)", [(0.25, Smooth(sigma=100 / 255))]),
        ("(1 - 0.84)*plain + 0.84*plain()", [(1 - 0.84, Plain()), (0.84, Plain())]),
        ("plain + (smooth + 0*plain)", [(1.0, Plain()), (1.0, Smooth()), (0.0, Plain())]),
        ("0.1*my.losses:Edge(strength=-2)", [(0.1, Own("my.losses:Edge", {"strength": -2}))]),
        ("mine:Edge + plain", [(1.0, Own("mine:Edge")), (1.0, Plain())]),
    ],
)
def test_sums_read_as_arithmetic(text: str, terms: list[tuple[float, Choice]]) -> None:
    assert FILTERS.parse_sum(text, TYPED) == tuple(terms)


def test_a_chain_keeps_its_order() -> None:
    chain = FILTERS.parse_chain("smooth(size=5) | plain | my.kind:Grain(level=2)", TYPED)
    assert chain == (Smooth(size=5), Plain(), Own("my.kind:Grain", {"level": 2}))


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("0..5", Range(0.0, 5.0)),
        ("0..5/255", Range(0.0, 5 / 255)),
        ("1/255 .. 2*5/255", Range(1 / 255, 10 / 255)),
        ("-1..1 + 1", Range(-1.0, 2.0)),
        ("(1/4..1/2)", Range(0.25, 0.5)),
        (".5..1.5", Range(0.5, 1.5)),
        ("3..3", Range(3.0, 3.0)),
        ("log(1/255..50/255)", Range(1 / 255, 50 / 255, log=True)),
    ],
)
def test_two_dots_between_numbers_are_a_range(text: str, strength: Range) -> None:
    choice = DRAWN.parse(f"drawn(strength={text})")
    assert choice == Drawn(strength=strength)
    assert isinstance(choice.strength.low, float) and isinstance(choice.strength.high, float)


def test_ranges_print_as_they_are_written() -> None:
    assert str(Drawn(strength=Range(0, 0.5))) == "drawn(strength=0..0.5)"
    assert Drawn(strength=Range(1, 8, log=True)).in_full() == "drawn(strength=log(1..8), count=2..4)"
    assert str(Drawn(count=Range(2, 4))) == "drawn"
    assert FILTERS.parse("my.kind:Grain(level=0..1)", TYPED) == Own("my.kind:Grain", {"level": Range(0, 1)})
    assert FILTERS.parse("smooth(note='0..1 >> 2')") == Smooth(note="0..1 >> 2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drawn(strength=0..11)", r"drawn\(strength=0..11\): expected `float` <= 10"),
        ("drawn(strength=-6..1)", r"drawn\(strength=-6..1\): expected `float` >= -5"),
        ("drawn(strength=5..1)", r"at '5..1': the range 5..1 runs downwards"),
        ("drawn(strength=0..1/0)", "division by zero"),
        ("drawn(strength=1..1e999)", "finite bounds"),
        ("drawn(strength=log(0..1))", r"the range log\(0..1\) has no logarithm at its lower bound"),
        ("drawn(strength=log(1))", r"at 'log\(1\)': log takes one range, such as log\(1/255..50/255\)"),
        ("drawn(strength=log(1..2, 3))", "log takes one range"),
        ("drawn(strength=0..'a')", "at \"'a'\": expected a number"),
        ("drawn(strength=0...5)", r"at '...': a range is written with two dots"),
        ("drawn(strength=0 >> 5)", "at '>>': a range is written with two dots"),
        ("drawn(strength=0..1..2)", "at '0..1': expected a number"),
        ("drawn(count=1.5..3)", r"drawn\(count=1.5..3\): expected `int"),
        ("drawn(count=0..3)", r"drawn\(count=0..3\): expected `int` >= 1"),
        ("0..1", "expected the name of a filter"),
    ],
)
def test_errors_in_a_range_name_it(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        DRAWN.parse(text)


def test_an_option_that_is_not_drawn_takes_no_range() -> None:
    with pytest.raises(SpecError, match=r"smooth\(sigma=0..1\): expected one value, this option is not drawn"):
        FILTERS.parse("smooth(sigma=0..1)")
    with pytest.raises(SpecError, match="expected one value"):
        Smooth(size=Range(1, 3))


def test_colons_inside_quotes_are_left_alone() -> None:
    assert FILTERS.parse("smooth(note='C:disk.name:x')", TYPED) == Smooth(note="C:disk.name:x")
    assert FILTERS.parse(r"smooth(note='it\'s a:b')", TYPED) == Smooth(note="it's a:b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("smoth", r"at 'smoth': unknown filter 'smoth'; did you mean 'smooth'\? Known: plain, smooth"),
        ("qqq", r"unknown filter 'qqq'; Known: plain, smooth"),
        ("smooth(sigm=2)", r"at 'sigm=2': smooth has no option 'sigm'; did you mean 'sigma'\? Known: sigma, size"),
        ("plain(x=1)", "plain has no option 'x'; Known: none"),
        ("smooth(sigma=11)", r"smooth\(sigma=11\): expected `float` <= 10"),
        ("smooth(sigma=-1)", r"smooth\(sigma=-1\): expected `float` >= 0"),
        ("smooth(sigma='wide')", r"smooth\(sigma='wide'\): expected `float`, got `str`"),
        ("smooth(sigma=True)", r"smooth\(sigma=True\): expected `float`, got `bool`"),
        ("smooth(size=0)", r"smooth\(size=0\): expected `int` >= 1"),
        ("smooth(size=2.5)", r"smooth\(size=2.5\): expected `int`, got `float`"),
        ("smooth(limit=1e999)", "finite"),
        ("smooth(border='zeros')", r"smooth\(border='zeros'\): expected one of 'zero', 'wrap'"),
        (
            "smooth(border=zero)",
            "at 'zero': expected a number, such as 0.01 or 100/255, True, False, or a 'quoted' word",
        ),
        ("smooth(0.5)", "at '0.5': write the option's name too, as key=value"),
        ("smooth(**plain)", "write every option as key=value"),
        ("smooth(size=1, size=2)", "size.* twice"),
        ("smooth(sigma=1/0)", "at '1 / 0': division by zero"),
        ("smooth(sigma=2**3)", r"at '2 \*\* 3'"),
        ("smooth(sigma=1j)", "at '1j'"),
        ("", "cannot read the filter ''"),
        ("plain +", r"cannot read the filter 'plain \+'"),
        ("smooth(sigma=", "cannot read the filter"),
        ("plain\0", "cannot read the filter"),
        ("plain\ud800", "cannot read the filter"),
        ("-" * 100_000 + "plain", "cannot read the filter .*100,005 letters"),
        ("-" * 3900 + "plain", "cannot read the filter .*nested too deeply"),
        ("smooth(sigma=" + "-" * 100 + "1)", "nested more than 80 deep"),
        ("plain + smooth", "expected the name of a filter: plain, smooth"),
        ("'plain'", "expected the name of a filter"),
        ("lambda: plain", "expected the name of a filter|cannot read"),
        ("plain().x", "expected the name of a filter"),
    ],
)
def test_errors_name_the_word_at_fault(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        FILTERS.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-0.5*plain", r"at '-0.5 \* plain': the weight must be finite and not negative, got -0.5"),
        ("1e999*plain", "the weight must be finite and not negative, got inf"),
        ("1" + "0" * 400 + "*plain", "the weight must be finite"),
        ("plain - smooth", "at 'plain - smooth': expected weight.filter, such as 0.01.smooth"),
        ("0.5", "at '0.5': expected weight.filter"),
        ("plain*smooth", "expected weight.filter"),
        ("plain/2", "expected weight.filter"),
        ("'2'*plain", "at \"'2'\": expected a number"),
        ("True*plain", "at 'True': expected a number"),
        ("plain + smoth", "did you mean 'smooth'"),
        ("plain | smooth", "expected weight.filter"),
        ("plain" + " + plain" * 50_000, "cannot read the filter .*400,005 letters, and at most 20,000"),
        ("plain" + "+plain" * 64, "joins 65 parts, and at most 64 are read"),
    ],
)
def test_errors_in_a_sum_name_the_term_at_fault(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        FILTERS.parse_sum(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('pathlib').Path('{0}').touch()",
        "smooth(sigma=__import__('pathlib').Path('{0}').touch())",
        "smooth(note=open('{0}', 'w'))",
        "__import__('pathlib').Path('{0}').touch()*plain",
        "[open('{0}', 'w') for _ in (1,)]",
    ],
)
def test_text_is_never_evaluated(text: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        FILTERS.parse_sum(text.format(tmp_path / "made"))
    assert not list(tmp_path.iterdir())


def test_values_are_checked_in_python_too() -> None:
    with pytest.raises(SpecError, match=r"smooth\(sigma=nan\)"):
        Smooth(sigma=float("nan"))
    with pytest.raises(SpecError, match=r"smooth\(limit=inf\): expected a finite number"):
        Smooth(limit=float("inf"))
    with pytest.raises(SpecError, match=r"smooth\(widths='ab'\)"):
        Smooth(widths="ab")
    assert isinstance(Smooth(sigma=2).sigma, float)


def test_choices_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Smooth().size = 4


def test_a_choice_builds_itself_unless_it_says_otherwise() -> None:
    choice = Smooth()
    assert choice.build() is choice


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with a user's own class in the working folder, which is not on the path."""
    (tmp_path / "pdloss_test_own.py").write_text(
        "class Edge:\n"
        "    def __init__(self, strength=1, sides=()):\n"
        "        self.strength, self.sides = strength, sides\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield "pdloss_test_own"
    sys.modules.pop("pdloss_test_own", None)


def test_own_classes_are_found_in_the_working_folder_and_built_with_their_arguments(own_module: str) -> None:
    edge = FILTERS.parse(f"{own_module}:Edge(strength=-0.5, sides=['top', 2])", TYPED).build()
    assert (type(edge).__name__, edge.strength, edge.sides) == ("Edge", -0.5, ["top", 2])
    assert FILTERS.parse(f"{own_module}:Edge", TYPED).build().strength == 1


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (":Edges", "Edges"),
        (":Edge(strong=1)", "strong"),
        ("_missing:Edge", "No module named 'pdloss_test_own_missing'"),
    ],
)
def test_own_classes_that_cannot_be_built_are_named(own_module: str, rest: str, said: str) -> None:
    choice = FILTERS.parse(own_module + rest, TYPED)
    with pytest.raises(SpecError, match=said) as caught:
        choice.build()
    assert str(caught.value).startswith(choice.path)


def test_suggestion_guesses_only_what_is_close() -> None:
    assert suggestion("trian", ["train", "restore"]) == "; did you mean 'train'? Known: train, restore"
    assert suggestion("zzz", ["train"]) == "; Known: train"
    assert suggestion("zzz", []) == "; Known: none"


def test_a_sum_is_read_without_knowing_any_name() -> None:
    weighted = read_sum("l1 + 2*0.01*own.module:Loss(b=[1, 2], a='it''s') + pdl(w=(1, 2.0))".replace("''", "\\'"))
    assert [(weight, call.name, dict(call.options)) for weight, call in weighted] == [
        (1.0, "l1", {}),
        (0.02, "own.module:Loss", {"a": "it's", "b": (1, 2)}),
        (1.0, "pdl", {"w": (1, 2)}),
    ]
    assert str(weighted[1][1]) == 'own.module:Loss(a="it\'s", b=(1, 2))'
    assert read_sum("a(x=1, y=2)") == read_sum("a(y=2.0, x=1.0)")


@pytest.mark.parametrize(
    "text", ["", "GAN, see paper", "l1 +", "2", "f(3)", "-1*l1", "l1 - pdl", "(l1)(p=1)(q=2)", "'l1'"]
)
def test_words_that_are_no_sum_are_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read_sum(text)


def test_an_unknown_name_is_refused_by_the_error_of_its_room_with_a_guess() -> None:
    check_known("task", "sr", ["denoise", "sr"])
    with pytest.raises(SpecError, match="unknown task 'denose'; did you mean 'denoise'. Known: denoise, sr"):
        check_known("task", "denose", ["denoise", "sr"])
    with pytest.raises(RunError, match="unknown run 'x'; Known: none"):
        check_known("run", "x", {}, RunError)
