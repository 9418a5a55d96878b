"""Images → activations; in text a backbone and its layers: ``vgg16.relu4_3``, ``vgg19.relu3_4+relu4_4``.

A backbone takes weights of one's own: ``vgg16(weights='my.safetensors', convention='caffe').relu4_3``. A module of
one's own is named ``package.module:Name(key=value)``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pdloss import assets
from pdloss.errors import SpecError
from pdloss.features.alexnet import AlexNetFeatures
from pdloss.features.distilled import DistilledFeatures
from pdloss.features.frozen import Frozen
from pdloss.features.given import given, split
from pdloss.features.own import OwnFeatures, is_own, own_text
from pdloss.features.squeezenet import SqueezeNetFeatures
from pdloss.features.steerable import SteerablePyramidFeatures
from pdloss.features.vgg import VGG16Features, VGG19Features, VGGFeatures
from pdloss.specs import suggestion
from pdloss.specs.trust import RECEIVED, TYPED, Trust

__all__ = [
    "BACKBONES",
    "AlexNetFeatures",
    "DistilledFeatures",
    "FeatureNames",
    "Frozen",
    "OwnFeatures",
    "SqueezeNetFeatures",
    "SteerablePyramidFeatures",
    "VGG16Features",
    "VGG19Features",
    "VGGFeatures",
    "extractor",
]

BACKBONES: dict[str, Callable[[Sequence[str]], Frozen]] = {
    "vgg16": VGG16Features,
    "vgg19": VGG19Features,
    # The same networks as torchvision trained and normalises them: features about 57 times smaller.
    "vgg16-torchvision": lambda layers: VGG16Features(layers, assets.path("vgg16-torchvision")),
    "vgg19-torchvision": lambda layers: VGG19Features(layers, assets.path("vgg19-torchvision")),
    "alexnet": AlexNetFeatures,
    "squeezenet": SqueezeNetFeatures,
    "distilled": lambda layers: DistilledFeatures(layers or None),
    "distilled-1": lambda layers: DistilledFeatures(layers or None, edition="distilled-1"),
    "steerable": lambda layers: SteerablePyramidFeatures(layers=layers or None),
}


@dataclass(frozen=True)
class FeatureNames:
    """A backbone and the layers wanted of it; none means all that it offers by itself."""

    backbone: str
    layers: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, trusted: Trust = RECEIVED) -> "FeatureNames":
        """Returns the names in ``backbone.layer+layer``, or in one of the three forms for features of one's own.

        ``path/to/own.safetensors.layer+layer`` reads a file written by ``pdloss distill``,
        ``vgg16(weights='own.safetensors', convention='caffe').layer`` any weights of that network (`given`), and
        ``package.module:Name(key=value)`` a class, whose maps are all used (`OwnFeatures`).

        Args:
            text: The names.
            trusted: Whose text it is; only `TYPED` may name a class of the user's own.

        Raises:
            SpecError: If the backbone is unknown, or code that the text may not name.
        """
        if is_own(text):
            return cls(own_text(text, trusted), ())
        if options := split(text):
            backbone, layers = str(given(options[0], trusted)), options[1]
            return cls(backbone, _each(layers))
        own, mark, layers = text.rpartition(".safetensors")
        if mark:
            backbone, layers = own + mark, layers.removeprefix(".")
        else:
            backbone, _, layers = text.partition(".")
            if backbone not in BACKBONES:
                hint = "a module of your own is written package.module:Name(key=value), without layers"
                word = text if ":" in text else backbone
                raise SpecError(f"unknown features {word!r}{suggestion(backbone, BACKBONES)}; {hint}")
        return cls(backbone, _each(layers))

    def build(self) -> Frozen:
        """Returns the extractor, with its weights loaded."""
        if is_own(self.backbone):
            return OwnFeatures(self.backbone, TYPED)  # looked at where it was read
        if split(self.backbone):
            return given(self.backbone, TYPED).extractor(self.layers)
        if self.backbone.endswith(".safetensors"):
            return DistilledFeatures(self.layers or None, Path(self.backbone))
        return BACKBONES[self.backbone](self.layers)

    def union(self, other: "FeatureNames") -> "FeatureNames":
        """Returns the same backbone with the layers of both; no layers stands for all."""
        both = (*self.layers, *other.layers) if self.layers and other.layers else ()
        return FeatureNames(self.backbone, tuple(dict.fromkeys(both)))

    def __str__(self) -> str:
        return f"{self.backbone}.{'+'.join(self.layers)}" if self.layers else self.backbone


def extractor(text: str, trusted: Trust = RECEIVED) -> Frozen:
    """Returns the extractor named by `text`, such as ``"vgg19.relu3_4+relu4_4"``.

    Args:
        text: The features.
        trusted: Whose text it is; only `TYPED` may name a class of the user's own.

    Raises:
        SpecError: If the backbone or a layer is unknown, or code that the text may not name.
        AssetError: If its weights are not at hand; the message names the way to go on.
    """
    return FeatureNames.parse(text, trusted).build()


def _each(layers: str) -> tuple[str, ...]:
    return tuple(layer for layer in layers.split("+") if layer)
