"""Metrics of whole sets of images, by name: distances between all restored and all target images' features."""

import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from pdloss import assets
from pdloss._types import Images, check_pair
from pdloss.errors import ImageError
from pdloss.metrics.frechet import Moments, gaussian_frechet_distance
from pdloss.metrics.inception import SIDE, InceptionFeatures, View, weights_path
from pdloss.metrics.inception_graph import Dims
from pdloss.metrics.kernel_distance import (
    SUBSET_SIZE,
    SUBSETS,
    paired_kernel_distance,
    subset_kernel_distance,
)
from pdloss.metrics.sliced_features import sliced_feature_distance
from pdloss.records import Metric, SetScore

Kind = Literal["fid", "kid", "paired_kid", "swd"]


@runtime_checkable
class SetMeasure(Protocol):
    """Gathers batches, and then says how far apart the two sets are."""

    def update(self, restored: Images, target: Images) -> None:
        """Adds images in [0, 1], already rounded to 8 bits, and their targets."""

    def compute(self) -> SetScore:
        """Returns the score of all images so far."""


class GatheredMeasure(SetMeasure, Protocol):
    """One that can be told of images in another process, by what it keeps of them; those of `SET_METRICS` can."""

    def rows(self, images: Images) -> Tensor:
        """Returns what it keeps of images."""

    def add_rows(self, restored: Tensor, target: Tensor, images: int) -> None:
        """Adds what `rows` gave."""


@dataclass(frozen=True)
class SetEntry:
    """A metric of whole sets that evaluation can be asked for."""

    record: Metric
    factory: Callable[[], SetMeasure]
    """Makes an empty measure; loads weights."""
    minimum_side: int = 1
    """The smallest height and width that it takes."""


class _Memory(NamedTuple):
    images: weakref.ref[Tensor]
    version: int
    rows: Tensor


class _Features:
    """Rows of features of a batch, computed once however many measures ask for them in turn."""

    def __init__(self, network: InceptionFeatures) -> None:
        self.network = network
        self._recent: deque[_Memory] = deque(maxlen=4)

    @torch.no_grad()
    def __call__(self, images: Images) -> Tensor:
        """Returns float32 rows on the CPU.

        Raises:
            ImageError: If features are not finite.
        """
        if images.is_inference():  # such tensors do not tell whether they were written to
            return self._computed(images)
        for memory in self._recent:
            if memory.images() is images and memory.version == images._version:
                return memory.rows
        rows = self._computed(images)
        self._recent.append(_Memory(weakref.ref(images), images._version, rows))
        return rows

    def _computed(self, images: Images) -> Tensor:
        rows: Tensor = self.network.to(images.device)(images).cpu()
        if not rows.isfinite().all():
            raise ImageError("features of an image are not finite: it holds NaN or infinite values; mend or remove it")
        return rows


_SHARED: "weakref.WeakValueDictionary[tuple[Dims, View, str], _Features]" = weakref.WeakValueDictionary()
"""Networks in use, so that measures on the same features share one."""


def _features(dims: Dims, view: View) -> _Features:
    path = weights_path(dims)
    key = (dims, view, f"{path} {assets.sha256(path)}")
    found = _SHARED.get(key)
    if found is None:
        found = _SHARED[key] = _Features(InceptionFeatures(dims, view, path))
    return found


class _Measure(ABC):
    """What the kinds share: features of both sets, and the count of images.

    Attributes:
        origin: What the weights are: file name to hash and input convention.
    """

    kind: Kind

    def __init__(self, dims: Dims, view: View) -> None:
        self.dims, self.view = dims, view
        self.images = 0
        self._features = _features(dims, view)
        self.origin = self._features.network.origin

    def update(self, restored: Tensor, target: Tensor) -> None:
        """Adds images in [0, 1] and their targets, (B, 3, H, W) each.

        Raises:
            ValueError: If the shapes differ or are not RGB batches, or images are too small for a crop.
            ImageError: If an image is not finite.
        """
        check_pair(restored, target)
        self.add_rows(self.rows(restored), self.rows(target), len(restored))

    def rows(self, images: Tensor) -> Tensor:
        """Returns what the measure keeps of images (B, 3, H, W): the same number of rows of features for each."""
        return self._features(images)

    def add_rows(self, restored: Tensor, target: Tensor, images: int) -> None:
        """Adds what `rows` gave for images and their targets, such as in another process.

        Args:
            restored: Rows of the images.
            target: Rows of their targets.
            images: How many images they are of, all of one size.
        """
        self._add(restored, target, images)
        self.images += images

    def compute(self) -> SetScore:
        """Returns the score of all images so far.

        Raises:
            ImageError: If there are fewer than two.
        """
        if self.images < 2:
            name = _name(self.kind, self.dims, self.view)
            raise ImageError(
                f"{name} compares sets of at least two images, got {self.images}; use a metric of single images"
            )
        return self._score()

    @abstractmethod
    def _add(self, restored: Tensor, target: Tensor, images: int) -> None: ...

    @abstractmethod
    def _score(self) -> SetScore: ...


class _FrechetMeasure(_Measure):
    """Measures the Fréchet distance, in memory that does not grow."""

    kind = "fid"

    def __init__(self, dims: Dims, view: View) -> None:
        super().__init__(dims, view)
        self._restored, self._target = Moments(dims), Moments(dims)

    def _add(self, restored: Tensor, target: Tensor, images: int) -> None:
        self._restored.update(restored)
        self._target.update(target)

    def _score(self) -> SetScore:
        of_u, of_v = self._restored, self._target
        value = gaussian_frechet_distance(of_u.mean, of_u.covariance(), of_v.mean, of_v.covariance())
        return SetScore(value=value.item(), note=self._doubt())

    def _doubt(self) -> str | None:
        if self._restored.count > self.dims:
            return None
        count = f"{self._restored.count} {'crops' if self.view == 'crops' else 'images'}"
        instead = _name("paired_kid", 2048 if self.dims == 2048 else 768, self.view)
        return f"unreliable: {count} for {self.dims} dimensions leave the covariance without full rank; read {instead}"


class _RowsMeasure(_Measure):
    """Keeps all rows, in float32: 8 kB for 2048 dimensions, twice for each image or crop."""

    def __init__(self, dims: Dims, view: View) -> None:
        super().__init__(dims, view)
        self._restored: list[Tensor] = []
        self._target: list[Tensor] = []
        self._images: list[Tensor] = []

    def _add(self, restored: Tensor, target: Tensor, images: int) -> None:
        self._restored.append(restored)
        self._target.append(target)
        crops = len(restored) // images if images else 1
        self._images.append(torch.arange(self.images, self.images + images).repeat_interleave(crops))


class _KernelMeasure(_RowsMeasure):
    """Measures the kernel distance as it is published, over subsets."""

    kind = "kid"

    def _score(self) -> SetScore:
        return SetScore(value=subset_kernel_distance(torch.cat(self._restored), torch.cat(self._target)).item())


class _PairedKernelMeasure(_RowsMeasure):
    """Measures the kernel distance of pictures that come in pairs, with its standard error over images."""

    kind = "paired_kid"

    def _score(self) -> SetScore:
        estimate = paired_kernel_distance(*map(torch.cat, (self._restored, self._target, self._images)))
        return SetScore(value=estimate.value, error=estimate.error)


class _SlicedMeasure(_RowsMeasure):
    """Measures the sliced Wasserstein distance."""

    kind = "swd"

    def _score(self) -> SetScore:
        return SetScore(value=sliced_feature_distance(torch.cat(self._restored), torch.cat(self._target)).item())


_VIEWS: dict[View, str] = {
    "whole": "whole images resized to 299x299 as pytorch-fid does (bilinear, no antialiasing), 2x - 1",
    "clean": "whole images resized to 299x299 as clean-fid does (bicubic, antialiased), (255x - 128)/128",
    "crops": "all crops of 299x299 that fit side by side around the centre, not resized, 2x - 1",
}
_FORMULAS: dict[Kind, str] = {
    "fid": "Fréchet distance of Gaussians, covariances over N - 1, float64",
    "kid": f"unbiased squared MMD with (x.y/D + 1)^3 as published: mean over {SUBSETS} subsets of {SUBSET_SIZE:,} "
    "(seed 0), of fewer all at once; also pairs an image with its own target, and is too low for it; can be below 0",
    "paired_kid": "unbiased squared MMD with (x.y/D + 1)^3 over pairs of different images, all at once and not in "
    "subsets: not the published KID, which also pairs an image with its own target; error: jackknife over images; can "
    "be below 0",
    "swd": "mean over an orthonormal basis (seed 0) of the 1-D Wasserstein cost, p = 1",
}


_LABELS: dict[Kind, str] = {"paired_kid": "paired KID"}


def _name(kind: Kind, dims: Dims, view: View) -> str:
    return kind + ("" if dims == 2048 else str(dims)) + ("" if view == "whole" else f"_{view}")


def _entry(measure: type[_Measure], dims: Dims, view: View) -> SetEntry:
    plain = _LABELS.get(measure.kind, measure.kind.upper())
    short = "" if dims == 2048 else f" (plain {plain} takes 2048: not to be compared)"
    label = plain + ("" if dims == 2048 else f"-{dims}") + ("" if view == "whole" else f" ({view})")
    protocol = (
        f"RGB after rounding to 8 bits; {_VIEWS[view]}; Inception-v3 of 2015-12-05, spatial mean of {dims} channels"
        f"{short}; {_FORMULAS[measure.kind]}"
    )
    record = Metric(label=label, better="lower", protocol=protocol)
    return SetEntry(record, partial(measure, dims, view), SIDE if view == "crops" else 1)


def _entries() -> dict[str, SetEntry]:
    asked: list[tuple[type[_Measure], Dims, View]]
    asked = [(_FrechetMeasure, 64, "whole"), (_FrechetMeasure, 192, "whole")]
    dims: Dims
    for dims in (768, 2048):
        kinds = (_FrechetMeasure, _KernelMeasure, _PairedKernelMeasure)
        asked += [(measure, dims, view) for measure in kinds for view in _VIEWS]
        asked.append((_SlicedMeasure, dims, "whole"))
    return {_name(measure.kind, dims, view): _entry(measure, dims, view) for measure, dims, view in asked}


SET_METRICS: dict[str, SetEntry] = _entries()
"""The metrics of whole sets, by their name in text; those of 2048 dimensions need all of Inception-v3."""
