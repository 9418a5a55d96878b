"""Another user's loss, called so that each mishap becomes words, and the feature maps that it is tried on."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pdloss.ops.streams import generator

FeatureMapLoss = Callable[[Tensor, Tensor], Tensor]
"""(restored, target), both (B, C, H, W), to a scalar or to one value per image."""

NOTHING = 1e-4
"""Up to this share of the value of two unrelated pairs of maps counts as no difference; float32 rounds to 1e-7."""

SOMETHING = 1e-3
"""From this share on a difference counts as seen."""

DRAWS = 16
"""Seeds over which the value of a loss that draws at random is averaged."""

HEIGHT, WIDTH = 10, 14  # not square: a loss that swaps them is found out


class UnfitLossError(Exception):
    """The loss under test did not give a value that can be judged."""


class LossRaisedError(UnfitLossError):
    """The loss under test raised an exception."""


@dataclass(frozen=True)
class Probe:
    """A loss under test, and the maps that belong to a seed."""

    loss: FeatureMapLoss
    seed: int = 0
    scale: float = 1.0
    channels: int = 6

    def values(self, restored: Tensor, target: Tensor, reseed: bool = True) -> Tensor:
        """Returns what the loss returns: a scalar, or one value per image.

        Raises:
            UnfitLossError: If it raises, or returns anything else.
        """
        if reseed:
            torch.default_generator.manual_seed(self.seed)
        try:
            values = self.loss(restored.clone(), target.clone())  # should it write into them, it does no harm here
        except Exception as error:
            raise LossRaisedError(f"raised {_in_one_line(error)}") from error
        if not isinstance(values, Tensor):
            raise UnfitLossError(f"returned a {type(values).__name__}; expected a tensor")
        if not values.is_floating_point():
            raise UnfitLossError(f"returned a tensor of {values.dtype}; expected floating point")
        if values.shape not in {(), (len(restored),)}:
            raise UnfitLossError(
                f"returned the shape {tuple(values.shape)} for maps {tuple(restored.shape)}; "
                f"expected a scalar () or one value per image ({len(restored)},)"
            )
        return values

    def value(self, restored: Tensor, target: Tensor) -> float:
        """Returns the mean over images of what the loss returns."""
        return float(self.values(restored, target).detach().double().mean())

    def gradient(self, restored: Tensor, target: Tensor) -> tuple[float, Tensor]:
        """Returns the mean value over images and its gradient by `restored`.

        Raises:
            UnfitLossError: If the loss raises, or no gradient arrives.
        """
        leaf = restored.detach().clone().requires_grad_()
        value = self.values(leaf, target).mean()
        if not value.requires_grad:
            raise UnfitLossError("no gradient: the value does not depend on the restored features in autograd's eyes")
        try:
            (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True)
        except Exception as error:
            raise LossRaisedError(f"its gradient raised {_in_one_line(error)}") from error
        if gradient is None:
            raise UnfitLossError("no gradient reaches the restored features: they are detached on the way")
        return float(value.detach()), gradient

    def yardstick(self) -> float:
        """Returns the size of the value of unrelated maps, against which others are small or large."""
        return abs(self.value(self.restored(), self.target()))

    def average(self, restored: Tensor, target: Tensor) -> tuple[float, float]:
        """Returns the mean value over 16 seeds and its standard error, which is 0 for a loss that draws nothing."""
        drawn = [dataclasses.replace(self, seed=self.seed + i).value(restored, target) for i in range(DRAWS)]
        values = torch.tensor(drawn, dtype=torch.float64)
        return float(values.mean()), float(values.std()) / math.sqrt(DRAWS)

    def target(self, batch: int = 1) -> Float[Tensor, "b c h w"]:
        """Returns positive, somewhat smooth maps, each channel with a law of its own."""
        return _maps((batch, self.channels, HEIGHT, WIDTH), self.seed, "target")

    def restored(self, batch: int = 1) -> Float[Tensor, "b c h w"]:
        """Returns other maps, of wider laws than the target's: some of their values must rise, others fall."""
        maps = _maps((batch, self.channels, HEIGHT, WIDTH), self.seed, "restored")
        mean = maps.mean((2, 3), keepdim=True)
        return (mean + 1.6 * (maps - mean)).abs()

    def scattered(self, sample: Float[Tensor, " n"], name: str) -> Float[Tensor, "1 1 h w"]:
        """Returns a map of one channel that takes the values of a sample of 140, at random places."""
        order = torch.randperm(len(sample), generator=generator("conformance", self.seed, name))
        return sample[order].view(1, 1, HEIGHT, WIDTH).float()


def gaussian_quantiles() -> Float[Tensor, " n"]:
    r"""Returns the quantiles of the standard normal law at :math:`(i - 1/2)/n`, one for each position."""
    n = HEIGHT * WIDTH
    quantiles: Tensor = torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n)
    return quantiles


def blurred(maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Returns the mean over 3 x 3 neighbours, around the border: each channel's mean stays."""
    return F.avg_pool2d(F.pad(maps, (1, 1, 1, 1), mode="circular"), 3, stride=1)


def _maps(shape: tuple[int, int, int, int], seed: int, name: str) -> Float[Tensor, "b c h w"]:
    noise = torch.rand(shape, generator=generator("conformance", seed, name))
    smooth = (noise + blurred(noise)) / 2
    power = torch.linspace(0.5, 2, shape[1]).view(-1, 1, 1)
    return (0.5 + power) * smooth**power


def _in_one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words if len(words) <= 200 else words[:200] + '…'}"
