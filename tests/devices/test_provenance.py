"""What made a result: the versions that are installed, this machine, and the commit of the checkout."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

import pytest
import torch

from pdloss.devices import provenance


def test_versions_are_those_installed() -> None:
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    assert found["pillow"] == importlib.metadata.version("pillow")
    assert found["torch"].partition("+")[0] == importlib.metadata.version("torch").partition("+")[0]


def test_threads_and_processes_are_told() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        found = provenance.machine(torch.device("cpu"), processes=2)
    finally:
        torch.set_num_threads(before)
    assert (found["threads"], found["processes"]) == ("3", "2")
    assert "gpu" not in found


def test_the_commit_is_that_of_the_checkout_and_says_if_anything_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", "-C", str(tmp_path), *who, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    file = tmp_path / "provenance.py"
    file.write_text("one")
    monkeypatch.setattr(provenance, "__file__", str(file))
    assert provenance.commit() is None
    git("init", "-q")
    assert provenance.commit() is None  # a checkout, but of something else
    git("add", ".")
    git("commit", "-qm", "one")
    clean = git("rev-parse", "--short=12", "HEAD")
    assert provenance.commit() == clean
    file.write_text("two")
    assert provenance.commit() == f"{clean}-dirty"
