"""Fixtures shared by all tests: where real weights and photographs are, and a seeded generator."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

# `make test` has a process for every core; threads that wait for a busy core would cost far more than they gain.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the commands that tests start


_CACHE = os.environ.get("PDLOSS_CACHE")
"""Where real weights out of packages were put before the tests began, which are kept away from it: see `pretrained`."""


def pytest_collection_finish() -> None:
    """Keeps what was imported and collected out of every later round of the garbage collector, which it would slow."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_network_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps every test away from the user's own cache and from the network."""
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("PDLOSS_OFFLINE", "1")


def _folder(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value or not Path(value).is_dir():
        pytest.skip(f"needs {what}: set {variable} to their folder")
    return Path(value)


@pytest.fixture
def assets_folder() -> Path:
    """The folder of real pretrained weights."""
    return _folder("PDLOSS_ASSETS", "pretrained weights")


@pytest.fixture
def pretrained(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Finds real weights by name: in PDLOSS_ASSETS, else in the cache that PDLOSS_CACHE named when the tests began."""
    from pdloss import assets

    def find(name: str) -> Path:
        with monkeypatch.context() as patch:
            if _CACHE:
                patch.setenv("PDLOSS_CACHE", _CACHE)
            found = assets.find(name)
        if found is None:
            pytest.skip(f"needs {name}: run 'pdloss assets get {name}' and set PDLOSS_CACHE to the folder")
        return found

    return find


@pytest.fixture
def images_folder() -> Path:
    """The folder of real photographs."""
    return _folder("PDLOSS_IMAGES", "real photographs")


@pytest.fixture
def generator() -> torch.Generator:
    """A seeded generator."""
    return torch.Generator().manual_seed(0)
