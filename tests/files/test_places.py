"""Where the cache stands when nobody, the system, or the user has named a place."""

import sys
from pathlib import Path

import pytest

from pdloss.files.places import cache_folder


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {}, "home/.cache/pdloss"),
        ("linux", {"XDG_CACHE_HOME": "xdg"}, "xdg/pdloss"),
        ("darwin", {}, "home/Library/Caches/pdloss"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/pdloss"),
        ("darwin", {"XDG_CACHE_HOME": "xdg"}, "xdg/pdloss"),
        ("win32", {"LOCALAPPDATA": "local", "PDLOSS_CACHE": "mine"}, "mine"),
        ("linux", {"PDLOSS_CACHE": "~/mine", "XDG_CACHE_HOME": "xdg"}, "home/mine"),
    ],
)
def test_the_users_word_comes_before_the_systems(
    platform: str, variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("PDLOSS_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value if value.startswith("~") else str(tmp_path / value))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == tmp_path / folder
