"""Degraded images frozen into files, with a hash of each, so that two people know that they measured the same thing.

A folder of PNGs and ``manifest.json``: the degradation and seed, what each image drew of it, versions, SHA-256 of every
file and of the pixels it was made from. The manifest is written last: without it a set is not finished.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from pdloss import degradations
from pdloss.assets import sha256
from pdloss.datasets import Pair, Photographs, factor_of
from pdloss.errors import RunError, SpecError
from pdloss.images import check_stems, read_image, write_image
from pdloss.ops.streams import generator
from pdloss.provenance import versions
from pdloss.records import Record, read_record, write_record

MANIFEST = "manifest.json"


class FrozenImage(Record, frozen=True, kw_only=True):
    """One degraded image of a set."""

    target: str
    """File name of the photograph it was made from."""
    target_sha256: str
    """Of that photograph's size and 8-bit RGB pixels: a file saved anew without loss has the same."""
    degradation: str
    """What this image drew of the set's degradation."""
    file: str
    sha256: str


class Manifest(Record, frozen=True, kw_only=True):
    """``manifest.json`` of a frozen set."""

    degradation: str
    seed: int
    codec: str
    """JPEG encoder, on which compressed images depend."""
    versions: dict[str, str]
    images: list[FrozenImage]


class FrozenPairs:
    """The degraded images of a set with their targets, each checked against its hash when it is asked for.

    Args:
        folder: The set.
        photographs: The targets.

    Raises:
        RunError: If the folder is not a finished set, or one of other photographs.
    """

    def __init__(self, folder: Path, photographs: Photographs) -> None:
        self.folder, self.photographs = folder, photographs
        self.manifest = read_record(folder / MANIFEST, Manifest)
        known = [image.target for image in self.manifest.images]
        if left := sorted(set(known) ^ set(photographs.names)):
            raise RunError(
                f"{folder} was made of other photographs than {photographs.folder}: only one of them has "
                f"{', '.join(left[:5])}{' …' if len(left) > 5 else ''}"
            )
        self.images = {image.target: image for image in self.manifest.images}

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index: int) -> Pair:
        name = self.photographs.names[index]
        image = self.images[name]
        pixels, path = self.photographs[index], self.folder / image.file
        if pixels_sha256(pixels) != image.target_sha256:
            raise RunError(f"{self.photographs.folder / name} is not the photograph that {path} was made from")
        if not path.exists() or sha256(path) != image.sha256:
            problem = "changed" if path.exists() else "missing"
            raise RunError(f"{path} is {problem}: make the set anew, or fetch it again")
        degraded = read_image(path)
        factor = factor_of(degradations.degradation(self.manifest.degradation))
        height, width = (factor * side for side in degraded.shape[1:])
        return Pair(degraded, pixels[:, :height, :width].float() / 255, name)

    @property
    def description(self) -> str:
        """What was done to the images, and the hash by which the set is known."""
        digest = sha256(self.folder / MANIFEST)
        return f"{self.manifest.degradation}, seed {self.manifest.seed}, frozen as {digest[:12]}"


def freeze(
    photographs: Photographs,
    degradation: str,
    out: Path,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> Manifest:
    """Degrades every photograph, as evaluation with that seed would, and writes the set; returns its manifest.

    Args:
        photographs: The clean images.
        degradation: Such as ``"blur(support=1..15) | noise(sigma=0..5/255)"``.
        out: Folder to write to; a set that was not finished is written anew.
        seed: With each file's name, chooses everything random.
        progress: Told of every image done.

    Raises:
        SpecError: If the degradation cannot be used, or its result is no RGB image.
        RunError: If the folder holds another finished set.
    """
    check_stems(photographs.names)
    chain = degradations.parse(degradation)
    if (out / MANIFEST).exists():
        raise RunError(f"{out} already holds a frozen set; choose another --out")
    images = []
    for index, name in enumerate(photographs.names):
        pixels = photographs[index]
        stream = generator(seed, name)
        height, width = (side - side % chain.factor for side in pixels.shape[1:])
        drawn = chain.drawn(stream)
        path = out / f"{Path(name).stem}.png"
        degraded = drawn(pixels[:, :height, :width].float() / 255, stream)
        if degraded.shape[0] != 3:
            raise SpecError(f"{degradation} makes {degraded.shape[0]} planes, but a frozen set holds RGB images")
        write_image(path, degraded)
        images.append(
            FrozenImage(
                target=name, target_sha256=pixels_sha256(pixels), degradation=drawn.in_full(),
                file=path.name, sha256=sha256(path),
            )
        )  # fmt: skip
        if progress:
            progress(index + 1, len(photographs))
    manifest = Manifest(
        degradation=chain.in_full(), seed=seed, codec=degradations.codec(), versions=versions(), images=images
    )
    write_record(out / MANIFEST, manifest)
    return manifest


def pixels_sha256(pixels: Tensor) -> str:
    """Returns the SHA-256 of an 8-bit image (3, H, W): of its shape and its values."""
    header = "x".join(map(str, pixels.shape)).encode()
    return hashlib.sha256(header + pixels.contiguous().numpy().tobytes()).hexdigest()
