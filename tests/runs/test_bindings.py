"""What a run is bound to."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from pdloss.records import TrainedOn
from pdloss.runs.bindings import changes, other_choices, other_photographs, worth_saying
from tests.test_records import RUN

NEW = replace(RUN, data_fingerprint="contents:1")


def test_choices_bind_and_places_do_not() -> None:
    elsewhere = replace(RUN, data="/moved", valid="there", device="cuda:1", machine={"threads": "9"}, commit="abc")
    assert other_choices(RUN, elsewhere) == []
    assert other_choices(RUN, replace(RUN, seed=RUN.seed + 1, loss="l2()")) == [
        f"loss was {RUN.loss!r}, is 'l2()'",
        f"seed was {RUN.seed}, is {RUN.seed + 1}",
    ]


@pytest.mark.parametrize("spelling", ["base", "./base", "{here}/base", "link", "gone", None, "copy"])
def test_first_weights_are_the_same_however_they_are_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()
    (tmp_path / "link").symlink_to("base")
    before = replace(RUN, init="base", init_sha256="aa")
    digests = {"gone": None, None: None, "copy": "aa"}  # the run in base may have been trained on since
    now = replace(RUN, init=spelling and spelling.format(here=tmp_path), init_sha256=digests.get(spelling, "bb"))
    assert other_choices(before, now) == []


def test_other_first_weights_are_refused() -> None:
    before = replace(RUN, init="base", init_sha256="aa")
    other = replace(RUN, init="other", init_sha256="bb")
    assert other_choices(before, other) == ["init was 'base', is 'other'"]
    assert other_choices(RUN, other) == ["init was None, is 'other'"]
    assert other_choices(replace(before, init_sha256=None), other) == [], "version 0.1.0 kept no digest to compare"


def test_a_difference_of_the_photographs_names_them() -> None:
    known = TrainedOn(images={}, contents={"a": "1", "b": "2", "c": "3"})
    found = TrainedOn(images={}, contents={"b": "9", "c": "3", **{f"x{i}": "4" for i in range(5)}})
    now = replace(NEW, data_fingerprint="contents:2", data="moved")
    assert other_photographs(NEW, known, now, found, "size") == (
        "the photographs in moved are not those that it was trained on: "
        "5 added (x0, x1, x2, …), 1 removed (a), 1 changed (b)"
    )
    assert other_photographs(NEW, known, NEW, found, "size") == ""


def test_runs_of_version_0_1_0_are_compared_by_names_and_sizes_and_that_is_said() -> None:
    old = replace(RUN, data_fingerprint="00")
    hashes = TrainedOn(images={"a": "", "b": ""})
    assert other_photographs(old, hashes, NEW, hashes, "00") == ""
    assert other_photographs(old, hashes, NEW, hashes, "01").endswith(": the same names, of another size")
    assert other_photographs(old, hashes, NEW, TrainedOn(images={"a": ""}), "01").endswith(": 1 removed (b)")
    assert other_photographs(old, TrainedOn(images={}), NEW, hashes, "01").endswith("that it was trained on")
    (note,) = worth_saying(old, NEW)
    assert "could not be compared" in note
    assert worth_saying(NEW, NEW) == []


def test_what_may_change_bits_is_said() -> None:
    before = replace(NEW, versions={"torch": "2.6.0", "python": "3.11"}, machine={"threads": "1", "cpu": "AVX2"})
    now = replace(
        NEW, versions={"torch": "2.7.0", "python": "3.12"}, machine={"threads": "2", "cpu": "AVX2"}, device="cuda"
    )
    assert worth_saying(before, replace(now, device=before.device)) == [
        "goes on with torch 2.7.0 (was 2.6.0), threads 2 (was 1): bits may differ from an uninterrupted run"
    ]
    assert "device cuda (was cpu)" in worth_saying(replace(before, device="cpu"), now)[0]
    assert worth_saying(replace(now, device="cuda:1"), now) == []


def test_nothing_changed_is_not_said_to_have() -> None:
    assert changes({"a": "1"}, {"a": "1"}) == "the same names, of another size"
