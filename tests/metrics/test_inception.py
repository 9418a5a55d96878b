import functools
import io

import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image
from safetensors.torch import save, save_file
from torch import nn

from pdloss import assets
from pdloss.assets.fetching import content_sha256
from pdloss.errors import AssetError
from pdloss.metrics.frechet import frechet_distance
from pdloss.metrics.inception import (
    InceptionFeatures,
    lacking,
    view_clean,
    view_crops,
    view_whole,
    weights_path,
)
from pdloss.metrics.inception_graph import shapes
from tests.oracles import inception as oracle

MISSING = ["Mixed_7b.branch3x3dbl_2.conv.weight", "Mixed_7c.branch3x3dbl_2.conv.weight"]


@pytest.fixture(scope="module")
def weights():
    return oracle.random_weights(shapes())


@pytest.fixture(scope="module")
def whole(weights, tmp_path_factory):
    """A file of random weights for all four vectors, and what pytorch-fid's holds besides."""
    path = tmp_path_factory.mktemp("inception") / "whole.safetensors"
    others = {"fc.weight": torch.zeros(1008, 2), "Conv2d_1a_3x3.bn.num_batches_tracked": torch.tensor(0)}
    save_file(weights | others, path)
    return path


@pytest.fixture(scope="module")
def small(weights, tmp_path_factory):
    """A file of random weights for the shortest vector."""
    path = tmp_path_factory.mktemp("inception") / "small.safetensors"
    save_file({key: weights[key] for key in shapes(64)}, path)
    return path


@pytest.mark.parametrize("dims", [64, 192, 768, 2048])
def test_vectors_agree_with_the_network_written_out_in_double_precision(whole, weights, generator, dims):
    x = 2 * torch.rand(2, 3, 75, 107, generator=generator) - 1
    with torch.no_grad():
        expected = oracle.features(x, weights, dims).float()
    assert expected.shape == (2, dims)
    assert (expected > 1e-3).float().mean() > 0.2
    off = InceptionFeatures(dims, weights=whole).pooled(x) - expected
    assert (off.norm(dim=1) / expected.norm(dim=1)).max() < 1e-5  # float32 through 94 layers


# Distances of 24 Kodak images from the same, blurred and rounded to 8 bits, as measured when the weights were
# prepared, by another program, with kernels in float32 (the file's are in float16 from Mixed_6a on).
KODAK = {64: 3.7599, 192: 8.2890, 768: 0.1112}
"""By dimensions, for a Gaussian blur of one pixel."""


@functools.lru_cache
def kodak(folder, sigma):
    """The photographs as the network sees them."""
    files = sorted(folder.glob("*.png"))
    assert len(files) == 24
    views = []
    for file in files:
        levels = np.array(Image.open(file)).astype(np.float32)
        if sigma:
            levels = scipy.ndimage.gaussian_filter(levels.astype(np.float64), (sigma, sigma, 0)).round()
        views.append(view_whole(torch.from_numpy(levels / 255).float().permute(2, 0, 1)[None]))
    return torch.cat(views)


@pytest.mark.parametrize("dims", KODAK)
def test_distances_between_real_photographs_are_those_measured_elsewhere(assets_folder, images_folder, dims):
    network = InceptionFeatures(dims, weights=assets_folder / "inception-fid-partial.safetensors")
    sharp, blurred = (
        torch.cat([network.pooled(part) for part in kodak(images_folder / "valid" / "kodak24", sigma).split(8)])
        for sigma in (0, 1)
    )
    value = frechet_distance(sharp, blurred).item()
    assert value == pytest.approx(KODAK[dims], abs=6e-5, rel=1e-3 if dims == 768 else 0)


def test_whole_images_are_interpolated_linearly_between_pixel_centres(generator):
    images = torch.rand(1, 3, 40, 611, generator=generator)
    expected = images[0].double().numpy()
    for axis in (1, 2):
        size = expected.shape[axis]
        places = np.clip((np.arange(299) + 0.5) * size / 299 - 0.5, 0, size - 1)
        expected = np.apply_along_axis(
            lambda line, at=places: np.interp(at, np.arange(len(line)), line), axis, expected
        )
    np.testing.assert_allclose(view_whole(images)[0].numpy(), 2 * expected - 1, atol=1e-4)


@pytest.mark.parametrize("size", [(520, 401), (90, 130), (299, 299)])
def test_clean_images_are_those_of_pillow_on_floating_point_values(size):
    # Black and white pixels, so that the cubic overshoots on both sides.
    levels = 255 * np.random.default_rng(0).integers(0, 2, (*size, 3)).astype(np.uint8)
    channels = [Image.fromarray(levels[..., c].astype(np.float32)).resize((299, 299), Image.BICUBIC) for c in range(3)]
    expected = (np.stack([np.asarray(channel).clip(0, 255) for channel in channels]) - 128) / 128
    shown = view_clean(torch.from_numpy(levels).permute(2, 0, 1)[None] / 255)[0]
    np.testing.assert_allclose(shown.numpy(), expected, atol=2e-4)
    assert (shown.min(), shown.max()) == pytest.approx((-1, 127 / 128))


def test_crops_lie_side_by_side_around_the_centre_row_by_row_image_by_image(generator):
    images = torch.rand(2, 3, 620, 901, generator=generator)
    expected = [
        image[:, top : top + 299, left : left + 299] for image in images for top in (11, 310) for left in (2, 301, 600)
    ]
    torch.testing.assert_close(view_crops(images), 2 * torch.stack(expected) - 1, rtol=0, atol=0)


@pytest.mark.parametrize("size", [(298, 400), (400, 298)])
def test_images_too_small_for_a_crop_are_refused_with_both_numbers(small, size):
    with pytest.raises(ValueError, match=rf"images of {size[0]}x{size[1]} are too small .* at least 299 "):
        InceptionFeatures(64, "crops", small)(torch.zeros(1, 3, *size))


def test_every_image_and_crop_has_the_vector_it_would_have_alone(small, generator):
    network = InceptionFeatures(64, "crops", small)
    images = torch.rand(2, 3, 299, 5 * 299, generator=generator)  # ten crops: more than one pass takes
    rows = network(images)
    assert rows.shape == (10, 64)
    alone = [network(image[None, :, :, 299 * column :][..., :299]) for image in images for column in range(5)]
    torch.testing.assert_close(rows, torch.cat(alone))


@pytest.mark.parametrize("view", ["whole", "clean"])
def test_the_view_decides_what_the_network_sees(small, generator, view):
    images = torch.rand(2, 3, 80, 70, generator=generator)
    shown = {"whole": view_whole, "clean": view_clean}[view](images)
    network = InceptionFeatures(64, view, small)
    torch.testing.assert_close(network(images), network.pooled(shown))


def test_clean_resizing_loses_noise_that_the_other_keeps(small, generator):
    noise = torch.rand(1, 3, 1200, 1200, generator=generator)
    spread = [view(noise).std().item() for view in (view_whole, view_clean)]
    assert spread[1] < 0.5 * spread[0]


def test_constant_images_have_finite_vectors(small):
    images = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 3, 40, 40)
    rows = InceptionFeatures(64, weights=small)(images)
    assert rows.isfinite().all()
    assert not torch.equal(rows[0], rows[2])


def test_computes_in_float32_under_autocast_and_for_other_precisions(small, generator):
    network = InceptionFeatures(64, weights=small)
    images = torch.rand(1, 3, 60, 60, generator=generator)
    expected = network(images)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(images), expected)
    torch.testing.assert_close(network(images.double()), expected)


def test_weights_are_frozen_buffers_that_stay_in_eval_mode_and_follow_the_device(small):
    parent = nn.Sequential(InceptionFeatures(64, weights=small)).train()
    assert list(parent.parameters()) == []
    assert parent.state_dict() == {}
    assert not parent[0].training
    assert set(parent[0].origin) == {"small"}
    assert {buffer.device.type for buffer in parent.to("meta").buffers()} == {"meta"}


def test_an_unknown_length_or_view_is_refused(small):
    with pytest.raises((ValueError, TypeError), match="dims|2048"):
        InceptionFeatures(100, weights=small)
    with pytest.raises((ValueError, TypeError), match="view|whole"):
        InceptionFeatures(64, "patches", weights=small)


def test_a_file_that_ends_too_early_says_what_it_lacks(small):
    assert lacking(small, 64) == []
    assert lacking(small, 192)[0] == "Conv2d_3b_1x1.conv.weight"
    pattern = "does not reach 192 dimensions: it lacks Conv2d_3b_1x1.conv.weight, .* and 7 more"
    with pytest.raises(AssetError, match=pattern):
        InceptionFeatures(192, weights=small)


def test_a_kernel_of_another_shape_is_refused(weights, tmp_path):
    wrong = {key: weights[key] for key in shapes(64)} | {"Conv2d_2a_3x3.conv.weight": torch.zeros(32, 32, 1, 1)}
    save_file(wrong, tmp_path / "wrong.safetensors")
    pattern = r"Conv2d_2a_3x3.conv.weight is \(32, 32, 1, 1\) instead of \(32, 32, 3, 3\)"
    with pytest.raises(AssetError, match=pattern):
        InceptionFeatures(64, weights=tmp_path / "wrong.safetensors")


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "damaged.safetensors").write_bytes(b"\x10" + bytes(20))
    with pytest.raises(AssetError, match="damaged.safetensors"):
        InceptionFeatures(64, weights=tmp_path / "damaged.safetensors")


def put(folder, name, keys):
    """Puts a file into the folder that assets takes for one converted from the published checkpoint."""
    tensors = {key: torch.zeros(1) for key in keys}
    said = {"source_sha256": assets.ASSETS[name].sources[0].sha256, "input_convention": "RGB"}
    said["content_sha256"] = content_sha256(io.BytesIO(save(tensors)))
    path = folder / f"{name}.safetensors"
    save_file(tensors, path, metadata=said)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of assets."""
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    return tmp_path


def test_the_whole_network_s_file_is_used_wherever_it_is_at_hand(folder):
    part = put(folder, "inception-fid-partial", set(shapes()) - set(MISSING))
    assert weights_path(768) == part
    whole = put(folder, "inception-fid", shapes())
    assert [weights_path(dims) for dims in (64, 192, 768, 2048)] == [whole] * 4


def test_the_smaller_asset_is_enough_when_it_was_downloaded_whole(folder):
    path = put(folder, "inception-fid-partial", shapes())
    assert weights_path(2048) == path


def test_2048_dimensions_without_their_kernels_say_what_is_missing_and_how_to_get_it(folder):
    put(folder, "inception-fid-partial", set(shapes()) - set(MISSING))
    pattern = (
        f"inception-fid-partial.safetensors ends at 768 dimensions, since it lacks {MISSING[0]}, {MISSING[1]}; "
        "inception-fid.safetensors is not in .*'pdloss assets get inception-fid'.*PDLOSS_ASSETS.*"
        "take fid768 and paired_kid768"
    )
    with pytest.raises(AssetError, match=pattern):
        InceptionFeatures(2048)


@pytest.mark.parametrize(("dims", "name"), [(768, "inception-fid-partial"), (2048, "inception-fid")])
def test_without_any_weights_the_error_names_the_asset(folder, dims, name):
    with pytest.raises(AssetError, match=f"^{name}.safetensors is not in .*'pdloss assets get {name}'"):
        InceptionFeatures(dims)


def test_the_real_file_ends_at_768_dimensions(assets_folder):
    file = assets_folder / "inception-fid-partial.safetensors"
    assert lacking(file, 768) == []
    assert lacking(file, 2048) == MISSING
