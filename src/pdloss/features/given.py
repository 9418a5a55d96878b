"""Backbones with weights of the user's own, in text: ``vgg16(weights='my.safetensors', convention='caffe').relu4_3``.

The text names a file, never code, and a safetensors file holds numbers alone. So text out of a file may name one too,
as it may name a blur's kernel or a file of ``pdloss distill``: what is read then is at most refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, cast

from pdloss.errors import AssetError, SpecError
from pdloss.features.frozen import Frozen
from pdloss.features.vgg import VGG16Features, VGG19Features, VGGFeatures
from pdloss.specs import Choice, Family
from pdloss.specs.trust import RECEIVED, Trust

WORD = "on the user's word"
"""Stands behind hash and convention in the record of every run that used the file."""

_GIVEN = re.compile(r"\s*([\w-]+)\s*\((.*)\)\s*(?:\.(?!safetensors\b)(.*))?", re.DOTALL)


@dataclass(frozen=True)
class GivenWeights(Choice):
    """Base of the backbones whose weights stand in a file that the text names.

    Raises:
        SpecError: If no file is named.
    """

    network: ClassVar[type[VGGFeatures]]
    weights: str = ""
    convention: Literal["caffe", "torchvision"] | None = None
    file_options: ClassVar[tuple[str, ...]] = ("weights",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weights:
            raise SpecError(
                f"{self} names no file: write {self.name}(weights='my.safetensors', convention='caffe'), or plain "
                f"{self.name} for the weights known by that name"
            )

    def extractor(self, layers: Sequence[str]) -> Frozen:
        """Returns the network with the file's weights; its record holds their hash, and that the user vouched for them.

        Raises:
            SpecError: If it has no such layer.
            AssetError: If the file cannot be read, is another network's, lacks a layer, or says another convention.
        """
        path = Path(self.weights)
        if not path.is_file():
            raise AssetError(f"{self} names no file: there is no {path} in {Path.cwd()}")
        built = self.network(layers, path, convention=self.convention)
        said = "; ".join([*Frozen.describe(path).values(), f"read as {built.convention}", WORD])
        built.origin = {str(self): said}
        return built


@dataclass(frozen=True)
class GivenVGG16(GivenWeights, name="vgg16"):
    """VGG16 with weights of the user's own."""

    network = VGG16Features


@dataclass(frozen=True)
class GivenVGG19(GivenWeights, name="vgg19"):
    """VGG19 with weights of the user's own."""

    network = VGG19Features


_FAMILY = Family("backbone with weights of your own", (GivenVGG16, GivenVGG19), own=None)


def split(text: str) -> tuple[str, str] | None:
    """Returns the backbone and the layers of a text that gives options to a backbone; None of any other text.

    Example:
        >>> split("vgg16(weights='a.safetensors').relu4_3"), split("vgg16.relu4_3"), split("a(1).safetensors.relu4_3")
        (("vgg16(weights='a.safetensors')", 'relu4_3'), None, None)
    """
    found = _GIVEN.fullmatch(text)
    return (f"{found[1]}({found[2]})", found[3] or "") if found else None


def given(text: str, trusted: Trust = RECEIVED) -> GivenWeights:
    """Returns the backbone that a text such as ``vgg16(weights='my.safetensors', convention='caffe')`` names.

    Raises:
        SpecError: If it cannot be read, takes no weights of one's own, or names no file.
    """
    name, _, convention = text.partition("(")[0].strip().partition("-")
    if convention == "torchvision" and name in _FAMILY.table:
        raise SpecError(
            f"{name}-torchvision is {name} with the weights known by that name; for your own write "
            f"{name}(weights='my.safetensors', convention='torchvision')"
        )
    choice = _FAMILY.parse(text, trusted)
    return cast(GivenWeights, choice)
