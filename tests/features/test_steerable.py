import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.features.steerable import GAIN, SteerablePyramidFeatures, layer_names, opponent_colours, steerable_pyramid

SIZES = [(16, 16), (17, 23), (30, 16), (37, 50)]


def picture(height: int, width: int, batch: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(3), dtype=dtype)


def tile_areas(bands: dict[str, Tensor], height: int, width: int) -> dict[str, float]:
    return {name: height * width / (maps.shape[-2] * maps.shape[-1]) for name, maps in bands.items()}


def energy(bands: dict[str, Tensor], height: int, width: int) -> Tensor:
    areas = tile_areas(bands, height, width)
    return sum((areas[name] * maps.square().sum((1, 2, 3)) for name, maps in bands.items()), torch.zeros(()))


def fourier_band(
    plane: np.ndarray, level: int, radial, angle: float | None = None, orientations: int = 1
) -> np.ndarray:
    """The pyramid's definition: mirror, transform, multiply by the window, sum up at the tiles' centres."""
    height, width = plane.shape
    spectrum = np.fft.fft2(np.pad(plane, ((0, height), (0, width)), mode="symmetric"))
    y, x = 2 * np.pi * np.fft.fftfreq(2 * height), 2 * np.pi * np.fft.fftfreq(2 * width)
    radius, theta = np.hypot(y[:, None], x), np.arctan2(y[:, None], x)
    window = np.vectorize(radial)(radius).astype(complex)
    if angle is not None:
        grid = np.arange(3600) * np.pi / 3600
        total = np.mean(
            [np.sum(np.cos(t - np.arange(orientations) * np.pi / orientations) ** (2 * orientations - 2)) for t in grid]
        )
        window *= (1j * np.cos(theta - angle)) ** (orientations - 1) / np.sqrt(total)
    rows, columns = -(-height // 2**level), -(-width // 2**level)
    waves_y = np.exp(1j * np.outer((np.arange(rows) + 0.5) * height / rows - 0.5, y))
    waves_x = np.exp(1j * np.outer((np.arange(columns) + 0.5) * width / columns - 0.5, x))
    band = waves_y @ (spectrum * window) @ waves_x.T / (4 * height * width)
    assert np.abs(band.imag).max() < 1e-12
    return band.real


def rise(radius: float, top: float) -> float:
    """0 up to half the frequency `top`, 1 from there on, linear in octaves between."""
    return 0.0 if radius <= top / 2 else min(1.0, 1 + math.log2(radius / top))


def scale_window(scale: int):
    centre = math.pi / 2**scale
    return lambda r: math.cos(math.pi / 2 * rise(r, 2 * centre)) * math.sin(math.pi / 2 * rise(r, centre))


def grating(angle: float, wavelength: float, size: int = 96) -> Tensor:
    """A wave that runs along `angle`, from right towards down."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    wave = torch.cos(2 * math.pi / wavelength * (x * math.cos(angle) + y * math.sin(angle)) + 0.7)
    return wave.double()[None, None]


def inner_power(maps: Tensor) -> Tensor:
    """Mean square per channel, away from the border, where a grating and its mirror image meet."""
    margin = maps.shape[-1] // 4
    return maps[..., margin:-margin, margin:-margin].square().mean((0, 2, 3))


@pytest.mark.parametrize("orientations", [1, 2, 3, 4, 6])
def test_the_windows_tile_every_frequency(orientations):
    # Every cosine that a 12 x 9 picture is made of, one after the other: each must keep exactly its energy.
    height, width = 12, 9
    y = torch.cos(math.pi * torch.arange(height) * (torch.arange(height)[:, None] + 0.5) / height).double().T
    x = torch.cos(math.pi * torch.arange(width) * (torch.arange(width)[:, None] + 0.5) / width).double().T
    waves = torch.einsum("ky,lx->klyx", y.double(), x.double()).reshape(-1, 1, height, width)
    bands = steerable_pyramid(waves, scales=2, orientations=orientations)
    assert torch.allclose(energy(bands, height, width), waves.square().sum((1, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_keeps_the_energy_of_rgb_at_every_size(height, width):
    images = picture(height, width, batch=2)
    bands = SteerablePyramidFeatures()(images)
    assert torch.allclose(energy(bands, height, width), GAIN**2 * images.square().sum((1, 2, 3)), rtol=1e-10)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_transpose_reconstructs_the_picture(height, width):
    planes = picture(height, width).requires_grad_()
    bands = steerable_pyramid(planes, scales=3)
    areas = tile_areas(bands, height, width)
    weighted = [areas[name] * maps.detach() for name, maps in bands.items()]
    (rebuilt,) = torch.autograd.grad(list(bands.values()), planes, weighted)
    assert torch.allclose(rebuilt, planes, atol=1e-12)


@pytest.mark.parametrize("orientations", [1, 2, 3, 4])
def test_agrees_with_the_fourier_definition(orientations):
    planes = picture(21, 26)
    bands = steerable_pyramid(planes, scales=2, orientations=orientations)
    plane = planes[0, 1].numpy()
    highpass = fourier_band(plane, 0, lambda r: math.sin(math.pi / 2 * rise(r, math.pi)))
    lowpass = fourier_band(plane, 2, lambda r: math.cos(math.pi / 2 * rise(r, math.pi / 4)))
    np.testing.assert_allclose(bands["highpass"][0, 1], highpass, atol=1e-12)
    np.testing.assert_allclose(bands["lowpass"][0, 1], lowpass, atol=1e-12)
    for scale in (1, 2):
        for k in range(orientations):
            angle = k * math.pi / orientations
            expected = fourier_band(plane, scale - 1, scale_window(scale), angle, orientations)
            np.testing.assert_allclose(bands[f"scale{scale}"][0, orientations + k], expected, atol=1e-12)


@pytest.mark.parametrize("degrees", [10, 22.5, 100, 171])
def test_any_direction_is_interpolated_from_the_basis(degrees):
    planes = picture(24, 19)
    bands = steerable_pyramid(planes, scales=2, orientations=4)["scale2"][0, :4].numpy()
    angle = math.radians(degrees)
    # The weights that make cos(t - angle)^3 out of the four cos(t - k 45 degrees)^3, from samples of t alone.
    t = np.linspace(0, 2 * np.pi, 50)
    basis = np.stack([np.cos(t - k * np.pi / 4) ** 3 for k in range(4)], 1)
    weights = np.linalg.lstsq(basis, np.cos(t - angle) ** 3, rcond=None)[0]
    expected = fourier_band(planes[0, 0].numpy(), 1, scale_window(2), angle, 4)
    np.testing.assert_allclose(np.einsum("k,khw->hw", weights, bands), expected, atol=1e-12)


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("k", [0, 1, 2, 3])
def test_a_grating_answers_in_its_own_scale_and_direction(scale, k):
    bands = steerable_pyramid(grating(k * math.pi / 4, 2.0 ** (scale + 1)), scales=4)
    power = {(name, i): value.item() for name, maps in bands.items() for i, value in enumerate(inner_power(maps))}
    assert max(power, key=power.__getitem__) == (f"scale{scale}", k)
    # 45 degrees off, cos^3 leaves 1/8 of the power; all of it together is that of the wave, 1/2.
    assert power[f"scale{scale}", (k + 1) % 4] / power[f"scale{scale}", k] == pytest.approx(1 / 8, rel=0.1)
    assert sum(power.values()) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_quarter_turn_permutes_the_directions(height, width):
    planes = picture(height, width)[:, :1]
    before = steerable_pyramid(planes, scales=3)
    after = steerable_pyramid(planes.rot90(1, (-2, -1)), scales=3)
    for name, maps in before.items():
        turned = maps.rot90(1, (-2, -1))
        if name.startswith("scale"):  # an odd filter comes back with the other sign after half a turn
            turned = torch.cat([turned[:, 2:], -turned[:, :2]], 1)
        assert torch.allclose(after[name], turned, atol=1e-12)


@pytest.mark.parametrize(("layer", "step"), [("highpass", 1), ("scale1", 1), ("scale2", 2), ("scale3", 4)])
def test_bands_move_with_the_picture(layer, step):
    planes = torch.zeros(1, 1, 256, 256, dtype=torch.float64)
    planes[..., 120:136, 120:136] = picture(16, 16)[:, :1] - 0.5
    before = steerable_pyramid(planes, layers=[layer])[layer]
    after = steerable_pyramid(planes.roll((3 * step, -2 * step), (-2, -1)), layers=[layer])[layer]
    moved = before.roll((3, -2), (-2, -1))
    # The mirror images beyond the borders move the other way; their tails reach the middle at less than a thousandth.
    margin = before.shape[-1] // 4
    inside = (after - moved)[..., margin:-margin, margin:-margin]
    assert inside.abs().max() < 1e-3 * before.abs().max()
    assert (after - before).abs().max() > 0.5 * before.abs().max()


def test_a_constant_has_nothing_but_its_lowpass():
    bands = SteerablePyramidFeatures()(torch.full((1, 3, 33, 47), 0.25))
    for name, maps in bands.items():
        if name == "lowpass":
            assert torch.allclose(maps[:, 0], torch.tensor(GAIN * 0.25 * math.sqrt(3)))
            maps = maps[:, 1:]
        assert maps.abs().max() < 1e-5


def test_grey_has_no_chroma_and_each_primary_its_own_sign():
    planes = opponent_colours(torch.eye(3).view(3, 3, 1, 1)).flatten(1)
    assert torch.allclose(planes @ planes.T, torch.eye(3), atol=1e-6)
    assert torch.allclose(planes.sum(0), torch.tensor([math.sqrt(3), 0, 0]), atol=1e-6)
    assert planes.sign().tolist() == [[1, 1, 1], [1, 0, -1], [1, -1, 1]]


def test_is_linear_in_the_picture():
    features = SteerablePyramidFeatures(scales=2)
    first, second = picture(20, 24), picture(20, 24).flip(1, 2)
    mixed = features(0.3 * first - 2 * second)
    for name, maps in mixed.items():
        assert torch.allclose(maps, 0.3 * features(first)[name] - 2 * features(second)[name], atol=1e-10)


def test_gradients_reach_the_picture():
    features = SteerablePyramidFeatures(scales=2, orientations=3)
    images = picture(4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tuple(features(x).values()), images)


def test_holds_nothing_and_has_one_mode():
    features = SteerablePyramidFeatures()
    images = picture(32, 32, dtype=torch.float32)
    before = features(images)
    parent = nn.Sequential(features).train()
    after = features(images)
    assert not list(parent.parameters())
    assert not parent.state_dict()
    assert not features.training
    assert all(torch.equal(before[name], after[name]) for name in features.layers)


def test_float32_agrees_with_float64_at_the_size_of_a_photograph():
    images = picture(121, 481)
    exact = SteerablePyramidFeatures()(images)
    for name, maps in SteerablePyramidFeatures()(images.float()).items():
        assert maps.dtype == torch.float32
        assert torch.allclose(maps.double(), exact[name], atol=1e-4)


def test_autocast_and_half_precision_images_are_computed_in_float32():
    features = SteerablePyramidFeatures().half()
    images = picture(32, 40, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = features(images)
    for name, maps in features(images).items():
        assert inside[name].dtype == torch.float32
        assert torch.equal(inside[name], maps)
        assert features(images.half())[name].dtype == torch.float32


def test_is_made_on_the_device_of_the_picture():
    bands = steerable_pyramid(opponent_colours(torch.rand(1, 3, 32, 32, device="meta")))
    assert {maps.device.type for maps in bands.values()} == {"meta"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_agrees_between_devices():
    images = picture(64, 48, dtype=torch.float32)
    bands = SteerablePyramidFeatures()(images)
    for name, maps in SteerablePyramidFeatures()(images.cuda()).items():
        assert torch.allclose(maps.cpu(), bands[name], atol=1e-4)


def test_layers_come_alone_and_in_the_order_asked_for():
    images = picture(32, 32)
    everything = SteerablePyramidFeatures()(images)
    assert tuple(everything) == layer_names(4) == SteerablePyramidFeatures().layers
    some = SteerablePyramidFeatures(layers=["lowpass", "scale3", "highpass"])(images)
    assert list(some) == ["lowpass", "scale3", "highpass"]
    assert all(torch.equal(maps, everything[name]) for name, maps in some.items())


@pytest.mark.parametrize(
    ("layers", "side"), [(None, 16), (["highpass"], 2), (["scale1", "scale3"], 8), (["lowpass"], 16)]
)
def test_the_smallest_side_leaves_something_in_the_coarsest_layer(layers, side):
    features = SteerablePyramidFeatures(layers=layers)
    assert features.minimum_side == side
    assert all(maps.numel() for maps in features(picture(side, side)).values())
    coarsest = max(features.layers, key=layer_names(4).index)
    assert features(picture(side, 2 * side))[coarsest].abs().max() > 0.01
    with pytest.raises(ValueError, match=f"at least {side} pixels"):
        features(picture(side - 1, 64))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": 0}, "at least 1 scale and 1 orientation, got 0 and 4"),
        ({"orientations": 0}, "got 4 and 0"),
        ({"layers": []}, "at least one layer"),
        ({"layers": ["scale5"]}, "no layer 'scale5'.*scale4, lowpass"),
        ({"scales": 2, "layers": ["scale3"]}, "no layer 'scale3'"),
    ],
)
def test_refuses_what_does_not_exist(options, message):
    with pytest.raises(SpecError, match=message):
        SteerablePyramidFeatures(**options)


def test_the_record_of_a_run_says_how_the_bands_were_made():
    assert SteerablePyramidFeatures(3, 6).origin == {"steerable": "no weights; 3 scales, 6 orientations, gain 10"}


def test_intensity_bands_of_photographs_are_equally_strong_at_every_scale(images_folder):
    files = sorted((images_folder / "valid" / "kodak24").glob("*.png"))
    pixels = np.stack([np.asarray(Image.open(file).convert("RGB"))[100:228, 100:228] for file in files])
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    bands = SteerablePyramidFeatures(layers=layer_names(4)[:-1])(images)
    strength = torch.stack([maps.abs().unflatten(1, (3, -1)).mean((0, 2, 3, 4)) for maps in bands.values()])
    intensity, chroma = strength[:, 0], strength[:, 1:]
    assert intensity.max() < 2 * intensity.min()
    assert 0.15 < intensity.mean() < 0.4
    assert 0.01 < chroma.min() < chroma.max() < 0.1
