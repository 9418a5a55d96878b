"""The mathematics: tensors in, tensors out; knows nothing of images, networks or files."""

from pdloss.ops.sliced import max_sliced_wasserstein, sliced_wasserstein
from pdloss.ops.wasserstein import wasserstein_1d

__all__ = ["max_sliced_wasserstein", "sliced_wasserstein", "wasserstein_1d"]
