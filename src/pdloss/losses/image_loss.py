"""What losses on the images themselves have in common: a formula with one value per image, averaged over the batch."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from pdloss._types import Images
from pdloss.losses.checks import CheckedPair


class ImageLoss(nn.Module):
    """Measures two image batches by a formula of their own; a subclass gives the formula."""

    def __init__(self) -> None:
        super().__init__()
        self.check = CheckedPair()

    @abstractmethod
    def distance(self, restored: Images, target: Images) -> Float[Tensor, " b"]:
        """Returns one value per image."""

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        """Returns the mean over the batch of images (B, 3, H, W) in [0, 1]; gradients reach `restored` only.

        Raises:
            ValueError: If the two are not floating-point RGB batches of one shape, or too small for the formula.
        """
        self.check(restored, target)
        return self.distance(restored, target.detach()).mean()
