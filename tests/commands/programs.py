"""Verbs that do what a test wants, and Python in a process of its own."""

import subprocess
import sys
import types
from collections.abc import Callable

import pytest


def verb(monkeypatch: pytest.MonkeyPatch, main: Callable[[list[str]], int]) -> None:
    """Puts `main` in the place of ``pdloss train``."""
    monkeypatch.setitem(sys.modules, "pdloss.commands.train", types.SimpleNamespace(main=main))


def raising(error: BaseException) -> Callable[[list[str]], int]:
    """A verb that raises this."""

    def main(_: list[str]) -> int:
        raise error

    return main


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program, with what follows it on its command line."""
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
