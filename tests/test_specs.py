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

from pdloss.errors import SpecError
from pdloss.specs import Choice, Family, Own, call_text, suggestion, sum_text


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


few = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
FILTERS = Family("filter", (Plain, Smooth))

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
    assert FILTERS.parse(str(choice)) == choice
    assert FILTERS.parse(choice.in_full()) == choice


@few
@given(st.lists(st.tuples(st.floats(0, 1e300), choices), min_size=1, max_size=4))
def test_the_text_of_a_sum_makes_it_again(terms: list[tuple[float, Choice]]) -> None:
    assert FILTERS.parse_sum(sum_text([(weight, str(choice)) for weight, choice in terms])) == tuple(terms)


@few
@given(st.lists(choices, min_size=1, max_size=4))
def test_the_text_of_a_chain_makes_it_again(chain: list[Choice]) -> None:
    assert FILTERS.parse_chain(" | ".join(map(str, chain))) == tuple(chain)


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
    assert FILTERS.parse_sum(text) == tuple(terms)


def test_a_chain_keeps_its_order() -> None:
    chain = FILTERS.parse_chain("smooth(size=5) | plain | my.kind:Grain(level=2)")
    assert chain == (Smooth(size=5), Plain(), Own("my.kind:Grain", {"level": 2}))


def test_colons_inside_quotes_are_left_alone() -> None:
    assert FILTERS.parse("smooth(note='C:disk.name:x')") == Smooth(note="C:disk.name:x")
    assert FILTERS.parse(r"smooth(note='it\'s a:b')") == Smooth(note="it's a:b")


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
        ("smooth(border=zero)", "at 'zero': expected a number, such as 0.01 or 100/255, or a 'quoted' word"),
        ("smooth(0.5)", "at '0.5': write the option's name too, as key=value"),
        ("smooth(**plain)", r"at '\*\*plain'"),
        ("smooth(size=1, size=2)", "size.* twice"),
        ("smooth(sigma=1/0)", "at '1 / 0': division by zero"),
        ("smooth(sigma=2**3)", r"at '2 \*\* 3'"),
        ("smooth(sigma=1j)", "at '1j'"),
        ("", "cannot read the filter ''"),
        ("plain +", r"cannot read the filter 'plain \+'"),
        ("smooth(sigma=", "cannot read the filter"),
        ("plain\0", "cannot read the filter"),
        ("plain\ud800", "cannot read the filter"),
        ("-" * 100_000 + "plain", "cannot read the filter"),
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
        ("plain" + " + plain" * 50_000, "cannot read the filter"),
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
    edge = FILTERS.parse(f"{own_module}:Edge(strength=-0.5, sides=['top', 2])").build()
    assert (type(edge).__name__, edge.strength, edge.sides) == ("Edge", -0.5, ["top", 2])
    assert FILTERS.parse(f"{own_module}:Edge").build().strength == 1


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (":Edges", "Edges"),
        (":Edge(strong=1)", "strong"),
        ("_missing:Edge", "No module named 'pdloss_test_own_missing'"),
    ],
)
def test_own_classes_that_cannot_be_built_are_named(own_module: str, rest: str, said: str) -> None:
    choice = FILTERS.parse(own_module + rest)
    with pytest.raises(SpecError, match=said) as caught:
        choice.build()
    assert str(caught.value).startswith(choice.path)


def test_call_text_writes_numbers_as_briefly_as_is_exact() -> None:
    assert call_text("f", {}) == "f"
    assert call_text("f", {"a": 0.1 + 0.2, "b": 1.0, "c": 1e-9}) == "f(a=0.30000000000000004, b=1, c=1e-09)"


def test_numbers_of_other_libraries_are_written_as_plain_ones() -> None:
    numpy = pytest.importorskip("numpy")
    assert call_text("f", {"a": numpy.float64(1 / 3)}) == f"f(a={1 / 3!r})"


def test_suggestion_guesses_only_what_is_close() -> None:
    assert suggestion("trian", ["train", "restore"]) == "; did you mean 'train'? Known: train, restore"
    assert suggestion("zzz", ["train"]) == "; Known: train"
    assert suggestion("zzz", []) == "; Known: none"
