"""Every name of one network makes the same network."""

# ruff: noqa: F401, F811  (a fixture is imported, and then named again as an argument)

from pathlib import Path

import pytest
import torch

import pdloss
from pdloss.errors import RunError
from pdloss.models import shelf
from pdloss.models.addresses import Repository
from pdloss.models.sharing import shared
from pdloss.runs import RunFolder
from tests.models.conftest import Made
from tests.models.hub_server import Hub, hub


def answer(model: str | Path) -> torch.Tensor:
    network = pdloss.models.load(model, device="cpu")
    assert not network.training
    with torch.no_grad():
        restored: torch.Tensor = network(torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(0)))
    return restored


def test_a_run_its_weights_its_folder_and_its_repository_are_one_network(made: Made, tmp_path: Path, hub: Hub) -> None:
    files = shared(made.run, Repository("anna/tiny"), data="made up", licence="mit")
    hub.add("anna/tiny", **files)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    expected = answer(made.run)
    weights = RunFolder(made.run).latest_weights()[1]
    for name in (str(made.run), weights, folder, folder / "model.safetensors", "anna/tiny", "hf://anna/tiny@main"):
        assert torch.equal(answer(name), expected), name


def test_a_name_that_ships_is_the_file_on_the_shelf(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "SHELF", made.file.parent)
    assert torch.equal(answer("tiny"), answer(made.file))
    assert not torch.equal(answer("tiny"), answer("tiny-l1"))
    with pytest.raises(RunError, match=r"tyni is no model that ships, .* did you mean 'tiny'"):
        answer("tyni")
