"""What was typed, made ready for its verb."""

from pathlib import Path

import pytest

from pdloss.cli import main
from pdloss.commands.words import prepared
from pdloss.errors import UsageError
from tests.runs_for_tests import photographs_in


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--out=~/x", "--out=HOME/x"),
        ("~/x", "HOME/x"),
        ("~", "HOME"),
        ("pdl=~/restored/pdl", "pdl=HOME/restored/pdl"),
        ("my method=~/pdl", "my method=HOME/pdl"),
        ("--niqe-model=~/n.safetensors", "--niqe-model=HOME/n.safetensors"),
        ("--loss=pdl(features='~')", "--loss=pdl(features='~')"),
        ("a~/x", "a~/x"),
        ("./~/x", "./~/x"),
        ("--title=~nobody-of-that-name 5", "--title=~nobody-of-that-name 5"),
        ("--out=x=~/y", "--out=x=~/y"),
    ],
)
def test_a_users_home_is_meant_wherever_a_path_may_begin(
    typed: str, meant: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert prepared("score", [typed]) == [meant.replace("HOME", str(tmp_path))]


def test_a_command_writes_to_the_home_and_makes_no_folder_called_like_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    photographs_in(tmp_path / "home" / "photographs")
    assert main(["degrade", "--data=~/photographs", "--out=~/set"]) == 0
    assert (tmp_path / "home" / "set" / "manifest.json").exists()
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--out", ""], "--out is empty"),
        (["--out="], "--out is empty"),
        (["--data", "  "], "--data is empty"),
        (["--seed", "-1"], "--seed must be from 0 to .*got -1"),
        (["--seed=18446744073709551616"], r"must be from 0 to 18446744073709551615 \(2\^64 - 1\)"),
        (["--seed", "9" * 10_000], "got 999"),
        (["--set", "a\0b"], "holds a NUL"),
    ],
)
def test_what_names_nothing_is_refused_before_the_verb_begins(typed: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        prepared("train", typed)


def test_what_may_be_empty_and_the_largest_seed_pass() -> None:
    for typed in (["--question", ""], ["--seed", str(2**64 - 1)], ["--seed=0"], ["--seed", "x"]):
        assert prepared("train", typed) == typed
