"""Distilled features: the function the file describes, and what the shipped file promises."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pdloss.errors import AssetError, SpecError
from pdloss.features import DistilledFeatures, extractor
from pdloss.features.distilled import FOLDER, DistilledNetwork
from pdloss.images import read_image

PLAN = {"heads": {"relu2_1": [3, 2], "conv3_1": [4, 4], "relu3_1": [2, 4]}, "widths": [5, 6], "blocks": [1, 2]}
SHAPES = {
    "stages.0.0.0": (5, 12, 3, 3),
    "stages.0.2.convolution.0": (5, 5, 3, 3),
    "stages.1.0.0": (6, 5, 2, 2),
    "stages.1.2.convolution.0": (6, 6, 3, 3),
    "stages.1.3.convolution.0": (6, 6, 3, 3),
    "heads.relu2_1": (3, 5, 1, 1),
    "heads.conv3_1": (4, 6, 1, 1),
    "heads.relu3_1": (2, 6, 1, 1),
}


def tensors() -> dict[str, Tensor]:
    stream = torch.Generator().manual_seed(0)
    made = {}
    for name, shape in SHAPES.items():
        made[f"{name}.weight"] = (torch.randn(shape, generator=stream) * 0.3).half()
        made[f"{name}.bias"] = (torch.randn(shape[0], generator=stream) * 0.3).half()
    return made


def written(folder: Path, changed: dict[str, Tensor] | None = None, **header: str) -> Path:
    path = folder / "own.safetensors"
    save_file(tensors() | (changed or {}), path, {"network": json.dumps(PLAN), "input_convention": "RGB"} | header)
    return path


def picture(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def described(images: Tensor) -> dict[str, Tensor]:
    """The same maps, one operation at a time."""
    kernel = {name: tensor.double() for name, tensor in tensors().items()}

    def convolve(x: Tensor, name: str, **options: int) -> Tensor:
        return F.conv2d(x, kernel[f"{name}.weight"], kernel[f"{name}.bias"], **options)

    height, width = (side // 2 * 2 for side in images.shape[-2:])
    x = 4.5 * images[..., :height, :width] - 2
    x = torch.stack([x[:, c, i::2, j::2] for c in range(3) for i in range(2) for j in range(2)], 1)
    x = convolve(x, "stages.0.0.0", padding=1).clamp(min=0)
    x = (x + convolve(x, "stages.0.2.convolution.0", padding=1)).clamp(min=0)
    maps = {"relu2_1": convolve(x, "heads.relu2_1").clamp(min=0)}
    x = convolve(x, "stages.1.0.0", stride=2).clamp(min=0)
    for block in (2, 3):
        x = (x + convolve(x, f"stages.1.{block}.convolution.0", padding=1)).clamp(min=0)
    maps["conv3_1"] = convolve(x, "heads.conv3_1")
    maps["relu3_1"] = convolve(x, "heads.relu3_1").clamp(min=0)
    return maps


@pytest.mark.parametrize("size", [(8, 12), (7, 9), (4, 4), (5, 19)])
def test_computes_what_the_file_describes(size: tuple[int, int], tmp_path: Path) -> None:
    images = picture(2, 3, *size)
    maps = DistilledFeatures(weights=written(tmp_path)).double()(images)
    expected = described(images)
    assert list(maps) == ["relu2_1", "conv3_1", "relu3_1"]
    for layer in maps:
        torch.testing.assert_close(maps[layer], expected[layer], msg=layer)
    assert maps["conv3_1"].min() < 0 <= maps["relu3_1"].min()


@pytest.mark.parametrize("size", [(16, 12), (13, 15)])
def test_a_network_that_starts_at_the_whole_side_is_the_chain_of_its_convolutions(
    size: tuple[int, int], generator: torch.Generator
) -> None:
    network = DistilledNetwork({"relu1_2": (5, 1), "relu3_1": (7, 4)}, (4, 6, 8), (1, 0, 0), start=1).double()
    held = network.state_dict()

    def convolved(x: Tensor, name: str, **how: int) -> Tensor:
        return F.conv2d(x, held[f"{name}.weight"], held[f"{name}.bias"], **how)

    images = torch.rand(2, 3, *size, generator=generator, dtype=torch.float64)
    x = convolved(images * 4.5 - 2, "stages.0.0.0", padding=1).relu()
    x = (x + convolved(x, "stages.0.2.convolution.0", padding=1)).relu()
    whole = convolved(x, "heads.relu1_2", padding=1)
    for stage in ("stages.1.0.0", "stages.2.0.0"):
        x = convolved(x, stage, stride=2).relu()
    maps = network(images, ["relu3_1", "relu1_2"])
    assert list(maps) == ["relu3_1", "relu1_2"]
    torch.testing.assert_close(maps["relu1_2"], whole)
    torch.testing.assert_close(maps["relu3_1"], convolved(x, "heads.relu3_1"))
    assert whole.shape[-2:] == size


def test_heads_that_are_not_asked_for_are_not_computed() -> None:
    network = DistilledNetwork({"relu1_2": (5, 1), "relu2_2": (7, 2)}, (4, 6), (0, 0), start=1)
    asked = []
    for name, head in network.heads.items():
        head.register_forward_hook(lambda *_, name=name: asked.append(name))
    network(torch.rand(1, 3, 8, 8), ["relu2_2"])
    assert asked == ["relu2_2"]


def test_a_map_finer_than_the_first_stage_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no stage works at 1/1 of the image's side: the first works at 1/2"):
        DistilledNetwork({"relu1_2": (5, 1)}, (4,), (0,))


def test_layers_come_in_the_order_asked_for(tmp_path: Path) -> None:
    path, image = written(tmp_path), picture(1, 3, 8, 8).float()
    every = DistilledFeatures(weights=path)(image)
    some = extractor(f"{path}.relu3_1+relu2_1")(image)
    assert list(some) == ["relu3_1", "relu2_1"]
    assert all(torch.equal(some[layer], every[layer]) for layer in some)


def test_stages_beyond_the_layers_asked_for_are_not_computed(tmp_path: Path) -> None:
    path, image = written(tmp_path), picture(1, 3, 5, 4).float()
    shallow = DistilledFeatures(["relu2_1"], path)
    ran = []
    for stage in shallow.network.stages:
        stage.register_forward_hook(lambda module, *_: ran.append(module))
    torch.testing.assert_close(shallow(image)["relu2_1"], described(image.double())["relu2_1"].float())
    assert ran == [shallow.network.stages[0]]


@pytest.mark.parametrize("height", [*range(4, 14), 37])
def test_maps_have_the_sizes_that_vgg_s_pooling_leaves(height: int, tmp_path: Path) -> None:
    distilled, width = DistilledFeatures(weights=written(tmp_path)), 31 - height // 2
    maps = distilled(torch.rand(1, 3, height, width))
    pooled = F.max_pool2d(torch.rand(1, 1, height, width), 2)
    assert maps["relu2_1"].shape[-2:] == pooled.shape[-2:]
    assert maps["relu3_1"].shape[-2:] == F.max_pool2d(pooled, 2).shape[-2:]


def test_is_frozen_and_stays_in_eval_mode(tmp_path: Path) -> None:
    distilled = DistilledFeatures(weights=written(tmp_path))
    parent = nn.ModuleList([distilled]).train()
    assert not any(module.training for module in distilled.modules())
    assert list(parent.parameters()) == []
    assert parent.state_dict() == {}
    assert len(list(distilled.buffers())) == 2 * len(SHAPES)
    assert not any(module.training for module in DistilledFeatures(weights=written(tmp_path)).modules())


def test_gradients_reach_the_input(tmp_path: Path) -> None:
    images, expected = picture(1, 3, 8, 8).requires_grad_(), picture(1, 3, 8, 8).requires_grad_()
    DistilledFeatures(weights=written(tmp_path)).double()(images)["conv3_1"].square().sum().backward()
    described(expected)["conv3_1"].square().sum().backward()
    assert expected.grad.abs().max() > 0
    torch.testing.assert_close(images.grad, expected.grad)


def test_images_too_small_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(ValueError, match="images of 3x9 are too small for .*relu3_1.* at least 4 pixels a side"):
        DistilledFeatures(weights=path)(torch.rand(1, 3, 3, 9))
    DistilledFeatures(["relu2_1"], path)(torch.rand(1, 3, 2, 3))


def test_unknown_layers_are_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="own has no layer 'relu3_2'; did you mean 'relu3_1'"):
        DistilledFeatures(["relu3_2"], written(tmp_path))


def test_says_what_its_weights_are(tmp_path: Path) -> None:
    origin = DistilledFeatures(weights=written(tmp_path)).origin
    assert list(origin) == ["own"]
    assert origin["own"].endswith("; RGB")


def test_files_of_another_kind_are_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(AssetError, match="other.safetensors was not written by pdloss distill"):
        DistilledFeatures(weights=other)
    with pytest.raises(AssetError, match="missing.safetensors"):
        DistilledFeatures(weights=tmp_path / "missing.safetensors")


@pytest.mark.parametrize("network", ["{", "[]", '{"heads": {}}', json.dumps(PLAN | {"widths": ["wide", 6]})])
def test_headers_that_describe_no_network_are_refused_by_name(network: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="own.safetensors was not written by pdloss distill"):
        DistilledFeatures(weights=written(tmp_path, network=network))


def test_tensors_that_do_not_fit_the_header_are_refused_by_name(tmp_path: Path) -> None:
    wrong = {"heads.relu2_1.weight": torch.zeros(9, 9, 1, 1)}
    with pytest.raises(AssetError, match="own.safetensors"):
        DistilledFeatures(weights=written(tmp_path, wrong))
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(AssetError, match="own.safetensors"):
        DistilledFeatures(weights=path)


def header_of(edition: str) -> dict[str, str]:
    with safe_open(str(FOLDER / f"{edition}.safetensors"), "pt") as file:
        return file.metadata()


@pytest.mark.parametrize(
    ("edition", "size", "shapes"),
    [
        (
            "distilled",
            3_000_000,
            {
                "relu1_2": (1, 64, 33, 50),
                "relu2_2": (1, 128, 16, 25),
                "relu3_3": (1, 256, 8, 12),
                "relu4_3": (1, 512, 4, 6),
            },
        ),
        ("distilled-1", 2_500_000, {"relu3_4": (1, 256, 8, 12), "relu4_3": (1, 512, 4, 6)}),
    ],
)
def test_what_ships_is_small_and_holds_its_layers(edition: str, size: int, shapes: dict[str, tuple[int, ...]]) -> None:
    assert Path(str(FOLDER / f"{edition}.safetensors")).stat().st_size <= size
    distilled = extractor(edition)
    assert distilled.layers == tuple(shapes)
    maps = distilled(torch.rand(1, 3, 33, 50))
    assert {layer: tuple(x.shape) for layer, x in maps.items()} == shapes
    assert header_of(edition)["license"] == "Apache-2.0"
    assert set(json.loads(header_of(edition)["relative_squared_error"])) == set(shapes)


def test_whoever_asks_for_a_layer_of_the_first_edition_is_told_its_name() -> None:
    with pytest.raises(SpecError, match="no layer 'relu3_4'.*; the first edition, distilled-1, has relu3_4"):
        extractor("distilled.relu3_4")


@pytest.mark.parametrize(("edition", "blocks"), [("distilled", (2, 2, 3, 3)), ("distilled-1", (2, 2, 4, 3))])
def test_what_ships_needs_a_fifth_of_its_teacher_s_multiplications(edition: str, blocks: tuple[int, ...]) -> None:
    side, channels, vgg = 96, 3, 0
    for convolutions, width in zip(blocks, (64, 128, 256, 512), strict=True):
        for _ in range(convolutions):
            vgg, channels = vgg + 2 * side**2 * channels * width * 9, width
        side //= 2
    distilled = extractor(f"{edition}.relu4_3").to("meta")
    with FlopCounterMode(display=False) as counter:
        distilled(torch.rand(1, 3, 96, 96, device="meta"))
    assert 0 < counter.get_total_flops() < vgg / 5


@pytest.mark.parametrize(
    ("edition", "teacher", "largest"),
    [
        ("distilled", "vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3", (0.04, 0.25, 0.4, 0.65)),
        ("distilled-1", "vgg19.relu3_4+relu4_3", (0.15, 0.3)),
    ],
)
def test_what_ships_imitates_its_teacher_on_photographs(
    edition: str, teacher: str, largest: tuple[float, ...], assets_folder: Path, images_folder: Path
) -> None:
    try:
        maps_of = extractor(teacher)
    except AssetError as error:
        pytest.skip(str(error))
    names = ("kodim05.png", "kodim15.png", "kodim23.png")
    crops = [read_image(images_folder / "valid" / "kodak24" / name)[:, 200:328, 250:378] for name in names]
    images = torch.stack(crops)
    maps, imitated = maps_of(images), extractor(edition)(images)
    errors = [((imitated[layer] - x).square().mean() / x.square().mean()).item() for layer, x in maps.items()]
    assert all(0 < error < most for error, most in zip(errors, largest, strict=True)), errors
