"""What all extractors share: nothing trains, nothing is stored, the mode is eval."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pdloss.errors import AssetError, SpecError
from pdloss.features.frozen import Frozen, chosen_layers


class Half(Frozen):
    """Multiplies by a frozen half, through a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.freeze("factor", torch.tensor(0.5))
        self.inner = nn.Dropout()
        self.layers, self.minimum_side = ("half", "whole"), 4

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        self.check_side(images)
        return {"half": self.inner(images * self.frozen("factor")), "whole": images}


def test_frozen_values_are_neither_trained_nor_stored_and_follow_the_module() -> None:
    half = Half()
    assert list(half.parameters()) == []
    assert half.state_dict() == {}
    assert half.frozen("factor").item() == 0.5
    assert half.double().frozen("factor").dtype == torch.float64
    assert half.to("meta").frozen("factor").is_meta


def test_the_mode_is_eval_whatever_the_parent_does() -> None:
    half = Half()
    parent = nn.Sequential(nn.Dropout(), half)
    assert not half.training
    for module in (parent.train(), half.train(True)):
        assert module.training is (module is parent)
        assert not half.training
        assert not half.inner.training
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(half(image)["half"], image / 2)


@pytest.mark.parametrize(("height", "width"), [(3, 9), (9, 3), (1, 1)])
def test_images_too_small_are_refused_with_both_sizes(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"images of {height}x{width} are too small .* at least 4 pixels a side"):
        Half()(torch.rand(1, 3, height, width))
    Half()(torch.rand(1, 3, 4, 4))


def test_layers_are_taken_once_in_the_order_asked_for() -> None:
    assert chosen_layers(["c", "a", "c"], ["a", "b", "c"], "net") == ("c", "a")


def test_an_unknown_layer_is_answered_with_the_nearest() -> None:
    known = ["relu3_3", "relu4_3"]
    with pytest.raises(
        SpecError, match="vgg16 has no layer 'rellu4_3'; did you mean 'relu4_3'\\? Known: relu3_3, relu4_3"
    ):
        chosen_layers(["rellu4_3"], known, "vgg16")


@pytest.mark.parametrize(("known", "such"), [(["a"], "net.a"), (["a", "b", "c"], "net.b")])
def test_no_layer_is_answered_with_an_example(known: list[str], such: str) -> None:
    with pytest.raises(SpecError, match=f"net needs at least one layer, such as {such}$"):
        chosen_layers([], known, "net")


def test_a_file_is_described_by_its_hash_and_its_convention(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "own-weights.safetensors"
    save_file({"a": torch.zeros(2)}, path, {"input_convention": "RGB in 0..1"})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Frozen.describe(path) == {"own-weights": f"sha256 {digest}; RGB in 0..1"}
    save_file({"a": torch.zeros(2)}, path)
    assert Frozen.describe(path)["own-weights"].endswith("; not stated")
    with pytest.raises(AssetError, match="missing.safetensors"):
        Frozen.describe(tmp_path / "missing.safetensors")
