"""The frequency distribution loss: spectra of features compared as distributions, amplitudes and phases apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn

from pdloss.features import Frozen
from pdloss.losses.choice import FeatureChoice
from pdloss.losses.feature_loss import FeatureLoss
from pdloss.ops import sliced_wasserstein
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.streams import generator

__all__ = ["FDL", "FrequencyDistributionLoss", "frequency_distribution_loss"]

FEATURES = "vgg19.relu1_2+relu2_2+relu3_4+relu4_4+relu5_4"


def frequency_distribution_loss(
    restored: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h2 w2"],
    *,
    directions: Float[Tensor, "m c k k"],
    phase_weight: float = 1.0,
) -> Float[Tensor, " b"]:
    r"""Returns the sliced Wasserstein costs of amplitudes and of phases of the features' spectra, one value per image.

    .. math:: \mathrm{SW}_1(|\hat S|, |S|) + \lambda\, \mathrm{SW}_1(\angle \hat S, \angle S)

    where :math:`S` is the two-dimensional discrete Fourier transform of each channel, all its bins and no factor before
    the sum. Each of the M directions is a small filter over all channels: the samples compared are its responses at
    every place of the spectrum where it fits, and costs are averaged over places and directions. A circular shift of
    the features changes no amplitude. Amplitudes grow with the features' scale and with the map's size, phases do not.

    Half-precision features are transformed in float32.

    Args:
        restored: Features of the restored images (B, C, H, W).
        target: Features of the targets, of the same shape.
        directions: Filters (M, C, k, k), which are scaled to length one.
        phase_weight: Weight :math:`\lambda` of the phases, in radians, beside the amplitudes.

    Raises:
        ValueError: If the shapes differ, or the maps are smaller than the filters.

    Example:
        >>> maps = torch.rand(1, 2, 8, 8)
        >>> shifted = maps.roll((2, 3), dims=(-2, -1))
        >>> filters = torch.randn(16, 2, 3, 3)
        >>> bool(frequency_distribution_loss(shifted, maps, directions=filters, phase_weight=0.0) < 1e-4)
        True
        >>> bool(frequency_distribution_loss(shifted, maps, directions=filters) > 1e-2)
        True

    References:
        | Misalignment-Robust Frequency Distribution Loss for Image Transformation (Ni et al., 2024)
        | https://arxiv.org/abs/2402.18192
    """
    if restored.shape != target.shape:
        raise ValueError(
            f"features must have the same shape, as spectra have one bin per position, "
            f"got {tuple(restored.shape)} and {tuple(target.shape)}"
        )
    (amplitude, phase), (target_amplitude, target_phase) = (amplitude_and_phase(maps) for maps in (restored, target))
    of_amplitudes = sliced_wasserstein(amplitude, target_amplitude, directions)
    return of_amplitudes + phase_weight * sliced_wasserstein(phase, target_phase, directions)


def amplitude_and_phase(
    features: Float[Tensor, "b c h w"],
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b c h w"]]:
    r"""Returns the amplitudes and the phases, in :math:`(-\pi, \pi]`, of the 2-D Fourier transform of each channel.

    What rounding alone decides is decided here, so that phases do not depend on the device: with :math:`\epsilon` the
    spacing of the number format, an imaginary part below :math:`16 \epsilon \|x\|_2`, which is what the transform of a
    channel :math:`x` may err by, counts as zero. Bins that must be real then have the phase 0 or :math:`+\pi`, and
    empty ones the phase 0. There the phase has the gradient zero, elsewhere at most the inverse of that bound.

    Args:
        features: Feature maps (B, C, H, W).

    Example:
        >>> amplitude, phase = amplitude_and_phase(torch.full((1, 1, 2, 2), -3.0))
        >>> amplitude.flatten(), phase.flatten()
        (tensor([12.,  0.,  0.,  0.]), tensor([3.1416, 0.0000, 0.0000, 0.0000]))
    """
    exact = at_least_float32(features)
    spectrum = torch.fft.fft2(exact)
    length = torch.linalg.vector_norm(exact.detach(), dim=(-2, -1), keepdim=True)
    noise = 16 * torch.finfo(exact.dtype).eps * length  # (B, C, 1, 1)
    imaginary = torch.where(spectrum.imag.abs() > noise, spectrum.imag, 0.0)
    # The angle of 0 + 0i has no gradient, not even a finite one; that of 1 + 0i is the same and has.
    empty = (imaginary == 0) & (spectrum.real.abs() <= noise)
    return spectrum.abs(), torch.atan2(imaginary, torch.where(empty, 1.0, spectrum.real))


class FrequencyDistributionLoss(FeatureLoss):
    """Measures how differently the spectra of features are distributed, `frequency_distribution_loss`.

    The filters are drawn once for each number of channels, from `seed` and that number alone; they are fixed, on no
    optimiser's list and in no state dict. Computes in float32 even under autocast.

    The published code uses VGG19 as torchvision trained and normalises it (``vgg19-torchvision`` here). The default,
    ``vgg19``, is in Caffe's convention: its features, and the amplitudes with them, are about 57 times larger, while
    phases are angles. For the published balance give it ``phase_weight=57`` and the whole a weight 57 times smaller.

    Args:
        features: Backbone and layers; the published five by default. See `FeatureLoss`. A patch must fit into every
            map: relu5_4 is a sixteenth of the image, so that five bins take 80 pixels a side.
        extractor: See `FeatureLoss`.
        count: Number of filters.
        patch: Height and width of the filters, in bins of the spectrum.
        phase_weight: Weight of the phases beside the amplitudes.
        seed: Chooses the filters, and the offsets.
        layer_weights: One weight per layer; by default all are 1, as published: layers are summed, not averaged.
        offset: See `FeatureLoss`; drawn from the same `seed`.

    Raises:
        ValueError: If an option makes no sense.

    Example:
        >>> loss = FrequencyDistributionLoss("distilled.relu4_3", count=8)
        >>> image = torch.rand(1, 3, 40, 40)
        >>> loss(image, image)
        tensor(0.)

    References:
        | https://github.com/eezkni/FDL
    """

    def __init__(
        self,
        features: str | nn.Module = FEATURES,
        *,
        extractor: nn.Module | None = None,
        count: int = 256,
        patch: int = 5,
        phase_weight: float = 1.0,
        seed: int = 0,
        layer_weights: Sequence[float] | None = None,
        offset: int = 0,
    ) -> None:
        if min(count, patch) < 1:
            raise ValueError(f"count and patch must be at least 1, got {count} and {patch}")
        if not phase_weight >= 0:
            raise ValueError(f"phase_weight must not be negative, got {phase_weight}")
        super().__init__(features, extractor=extractor, layer_weights=layer_weights, offset=offset, seed=seed)
        self.count, self.patch, self.phase_weight, self.seed = count, patch, phase_weight, seed
        self._drawn: dict[int, Tensor] = {}
        self.least_positions = patch

    def compare(self, restored: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Returns the loss of maps already computed: averaged over the batch, summed over this loss's layers.

        Raises:
            ValueError: If a map is smaller than a patch.
        """
        sizes = {layer: restored[layer].shape[-2:] for layer in self.layers or restored}
        layer, (height, width) = min(sizes.items(), key=lambda item: min(item[1]))
        if min(height, width) < self.patch:
            raise ValueError(
                f"the maps of {layer} are {height}x{width}, too small for patches of {self.patch}x{self.patch}; "
                + self._cure(min(height, width))
            )
        return super().compare(restored, target)

    def distance(self, restored: Float[Tensor, "b c h w"], target: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """Returns one value per image for the maps of one layer."""
        directions = self.draw(restored.shape[1], restored.device)
        return frequency_distribution_loss(restored, target, directions=directions, phase_weight=self.phase_weight)

    def draw(self, channels: int, device: torch.device | None = None) -> Float[Tensor, "m c k k"]:
        """Returns the filters for maps of that many channels: Gaussian numbers, the same ones every time."""
        if channels not in self._drawn:
            stream = generator("fdl", self.seed, channels)
            self._drawn[channels] = torch.randn(self.count, channels, self.patch, self.patch, generator=stream)
        self._drawn[channels] = self._drawn[channels].to(device)  # moved once, not at every step
        return self._drawn[channels]

    def _weights(self, layers: Sequence[str]) -> Sequence[float]:
        return [1.0] * len(layers) if self.layer_weights is None else super()._weights(layers)

    def _cure(self, side: int) -> str:
        # Where one position takes n pixels, p positions never take more than n p: the networks halve, rounding down.
        pixels = self.extractor.minimum_side * self.patch if isinstance(self.extractor, Frozen) else 0
        larger = f"images of at least {pixels} pixels a side" if pixels > self.patch else "larger images"
        return f"give it {larger}, or patch={side}"


@dataclass(frozen=True)
class FDL(FeatureChoice, name="fdl", module=FrequencyDistributionLoss):
    """The frequency distribution loss (Ni et al. 2024): amplitudes and phases of spectra, for pairs out of line."""

    features: str = FEATURES
    count: Annotated[int, Meta(ge=1)] = 256
    patch: Annotated[int, Meta(ge=1)] = 5
    phase_weight: Annotated[float, Meta(ge=0)] = 1.0
    seed: int = 0
