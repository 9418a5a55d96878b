"""What ships: small, measured as it is, with cards that say what the records say, never trained on what is measured."""

import shutil
from pathlib import Path

import pytest
import torch

from pdloss.assets import sha256
from pdloss.evaluation import load_network
from pdloss.models.card import card
from pdloss.models.measured import leaks
from pdloss.models.packing import MOST_BYTES, model_of
from pdloss.models.scores import ModelScores, card_files
from pdloss.models.shelf import shipped
from pdloss.records import read_record
from tests.models.conftest import Made

MOST_TOGETHER = 16_000_000


def faults(name: str, file: Path) -> list[str]:
    """What is wrong with a model that ships."""
    found = []
    model, (scores, text, picture) = model_of(file), card_files(file.parent, name)
    if file.stat().st_size > MOST_BYTES:
        found.append("too large")
    if model.name != name:
        found.append("another name")
    if not model.trained_on or leaks(model.trained_on):
        found.append("trained on what is measured")
    if not (scores.exists() and text.exists() and picture.exists()):
        return [*found, "not measured"]
    measured = read_record(scores, ModelScores)
    if measured.weights_sha256 != sha256(file):
        found.append("measured before it was changed")
    if text.read_text(encoding="utf-8") != card(model, measured, file.stat().st_size, picture.name):
        found.append("a card of other numbers")
    load_network(file, torch.device("cpu"))
    return found


def test_every_model_that_ships_is_without_fault() -> None:
    known = shipped()
    if not known:
        pytest.skip("no model ships yet")
    assert {name: found for name, file in known.items() if (found := faults(name, file))} == {}
    assert sum(file.stat().st_size for file in known.values()) <= MOST_TOGETHER
    assert {f"{name}-l1" for name in known if not name.endswith("-l1")} <= known.keys(), "each in two flavours"
    for name in known:
        if not name.endswith("-l1"):
            one, other = (model_of(known[each]).last for each in (name, f"{name}-l1"))
            apart = {f for f in one.__struct_fields__ if getattr(one, f) != getattr(other, f)}
            assert "loss" in apart and apart <= {"loss", "weights", "created", "commit", "versions"}, name


def test_faults_are_found(made: Made, tmp_path: Path) -> None:
    for suffix in ("json", "md", "jpg"):
        shutil.copy(made.out / f"tiny.{suffix}", tmp_path)
    file = Path(shutil.copy(made.file, tmp_path))
    assert faults("tiny", file) == []
    text = (tmp_path / "tiny.md").read_text(encoding="utf-8")
    (tmp_path / "tiny.md").write_text(text.replace("PSNR", "SSIM"), encoding="utf-8")
    assert faults("tiny", file) == ["a card of other numbers"]
    (tmp_path / "tiny.jpg").unlink()
    assert faults("tiny", file) == ["not measured"]
    other = tmp_path / "other"
    other.mkdir()
    for each in (*tmp_path.glob("tiny.*"), made.out / "tiny.jpg"):
        shutil.copy(each, other)
    shutil.copy(made.file.with_name("tiny-l1.safetensors"), other / "tiny.safetensors")
    assert "measured before it was changed" in faults("tiny", other / "tiny.safetensors")
