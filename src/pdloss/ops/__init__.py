"""The mathematics: tensors in, tensors out; knows nothing of images, networks or files."""

from pdloss.ops.wasserstein import wasserstein_1d

__all__ = ["wasserstein_1d"]
