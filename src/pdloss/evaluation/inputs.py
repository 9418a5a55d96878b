"""What networks are tested on: degraded pictures with their targets, made on the fly or frozen, and what each drew."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from pdloss import degradations
from pdloss._types import Image
from pdloss.assets import sha256
from pdloss.datasets import OwnPairs, Pairs, Photographs
from pdloss.datasets.contents import digest
from pdloss.degradations import BayerMosaic, Chain
from pdloss.degradations.given import Given
from pdloss.errors import SpecError
from pdloss.evaluation.defaults import Demosaic
from pdloss.evaluation.frozen_sets import FrozenPairs
from pdloss.ops.bayer import bayer_plane, bayer_unpacked, demosaic_bilinear, demosaic_malvar
from pdloss.ops.resize import resize
from pdloss.ops.streams import generator
from pdloss.specs.trust import RECEIVED, Trust


class Input(NamedTuple):
    """One degraded picture, what it should be, and what was done to it."""

    degraded: Float[Tensor, "c h2 w2"]
    target: Image
    name: str
    """Of the photograph."""
    drawn: Chain
    """The degradation, with a number in place of every range."""


class Inputs:
    """The degraded pictures of photographs; each depends on the seed and the photograph's name only.

    Args:
        photographs: The targets; or pairs, which have their degraded pictures.
        degradation: What is done to them; of a frozen set and of pairs, None.
        seed: Chooses what the degradation draws.
        frozen: A frozen set of the photographs, to take instead.
        demosaic: How mosaics are made comparable with their targets.
        trusted: Whose text the degradation is, here or in the frozen set.

    Raises:
        SpecError: If the degradation cannot be used, names code that it may not name, or is given beside a frozen set.
        RunError: If the frozen set is not one of these photographs.
    """

    def __init__(
        self,
        photographs: Photographs | OwnPairs,
        degradation: str | None,
        seed: int = 0,
        frozen: Path | None = None,
        demosaic: Demosaic = "malvar",
        trusted: Trust = RECEIVED,
    ) -> None:
        if degradation is not None and frozen is not None:
            raise SpecError(f"--degradation {degradation!r} has no effect on the frozen set {frozen}; leave one out")
        self.photographs, self._seed, self.demosaic, self._trusted = photographs, seed, demosaic, trusted
        self._pairs: Pairs | FrozenPairs
        if isinstance(photographs, OwnPairs):
            if degradation is not None:
                raise SpecError(
                    f"--degradation {degradation!r} has no effect on the pairs of {photographs.inputs.source.place}; "
                    "leave one out"
                )
            self.chain, self._pairs = Chain((Given(photographs.factor),)), Pairs(photographs, Given(), seed)
            contents = contents_sha256(photographs.inputs)
            how = f"as given in {Path(photographs.inputs.source.place).name}, contents {contents[:12]}"
        elif frozen is not None:
            self._pairs = FrozenPairs(frozen, photographs, trusted)
            self.chain, how = self._pairs.chain, self._pairs.description
        else:
            self.chain = degradations.parse(degradation or "", trusted)
            self._pairs, how = Pairs(photographs, self.chain, seed), f"{self.chain.in_full()}, seed {seed}"
        self.description = how + _simply(self.chain, demosaic)
        """What was done to the photographs, and how the results are made comparable with them."""

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> Input:
        degraded, target, name = self._pairs[index]
        if isinstance(self._pairs, FrozenPairs):
            drawn = degradations.parse(self._pairs.images[name].degradation, self._trusted)
        elif isinstance(self.photographs, OwnPairs):
            drawn = self.chain
        else:  # the numbers that the pair drew from the same stream
            drawn = self.chain.drawn(generator(self._seed, name))
        return Input(degraded, target, name, drawn)


def comparable(degraded: Tensor, target: Tensor, chain: Chain, demosaic: Demosaic = "malvar") -> Tensor:
    """Returns degraded images as RGB in the target's size, so that they can be scored.

    A mosaic is interpolated, by the filters of Malvar, He and Cutler or bilinearly; smaller images are enlarged
    bicubically: what one would do without a network.
    """
    mosaic = _mosaic(chain)
    if mosaic is not None:
        plane = degraded
        if mosaic.layout != "plane":
            plane = bayer_plane(degraded, mosaic.pattern) if mosaic.layout == "masked" else bayer_unpacked(degraded)
        return (demosaic_malvar if demosaic == "malvar" else demosaic_bilinear)(plane, mosaic.pattern)
    return degraded if degraded.shape == target.shape else resize(degraded, (target.shape[-2], target.shape[-1]))


def contents_sha256(photographs: Photographs | OwnPairs) -> str:
    """Returns the SHA-256 over the names and the contents of the photographs."""
    if isinstance(photographs, OwnPairs):
        known = photographs.targets.contents
        return digest({name: known[name] for name in photographs.names})
    return digest(photographs.contents)


def files_sha256(files: Mapping[str, Path]) -> str:
    """Returns the SHA-256 over files' contents, and the names that they are given here."""
    lines = [f"{name}\0{sha256(file)}\n" for name, file in files.items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _simply(chain: Chain, demosaic: Demosaic) -> str:
    if _mosaic(chain):
        how = "demosaicing by Malvar, He and Cutler" if demosaic == "malvar" else "bilinear demosaicing"
        return f"; the input is scored after {how}"
    return "; the input is scored after bicubic enlargement" if chain.factor != 1 else ""


def _mosaic(chain: Chain) -> BayerMosaic | None:
    return next((link for link in chain.links if isinstance(link, BayerMosaic)), None)
