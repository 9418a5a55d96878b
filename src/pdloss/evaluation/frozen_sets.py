"""Degraded images frozen into files, with a hash of each, so that two people know that they measured the same thing.

A folder of PNGs and ``manifest.json``: the degradation and seed, what each image drew of it, versions, SHA-256 of every
file and of the pixels it was made from. The manifest is written last: without it a set is not finished.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from jaxtyping import UInt8
from torch import Tensor

from pdloss import degradations
from pdloss.assets import sha256
from pdloss.datasets import Pair, Pairs, Photographs, factor_of
from pdloss.devices.provenance import versions
from pdloss.errors import ImageError, RunError, SpecError
from pdloss.files import clear_unfinished, finish, is_unfinished, mark_unfinished, path_inside, unfinished_names
from pdloss.files.lists import first_few
from pdloss.files.spelling import as_path, spelled
from pdloss.images import pixels_sha256, read_image, write_image
from pdloss.limits import check_seed
from pdloss.ops.streams import generator
from pdloss.picture_files import written_names
from pdloss.records import Record, Text, read_record, write_record
from pdloss.specs.trust import RECEIVED, Trust

MANIFEST = "manifest.json"


class FrozenImage(Record, frozen=True, kw_only=True):
    """One degraded image of a set."""

    target: str
    """File name of the photograph it was made from."""
    target_sha256: str
    """Of that photograph's size and 8-bit RGB pixels: a file saved anew without loss has the same."""
    degradation: Text
    """What this image drew of the set's degradation."""
    file: str
    sha256: str


class Manifest(Record, frozen=True, kw_only=True):
    """``manifest.json`` of a frozen set."""

    sealed: ClassVar[bool] = True
    degradation: Text
    seed: int
    codec: str
    """JPEG encoder, on which compressed images depend."""
    versions: dict[str, str]
    images: list[FrozenImage]


class FrozenPairs:
    """The degraded images of a set, checked against their hashes at once, with targets checked when asked for.

    Args:
        folder: The set.
        photographs: The targets.
        trusted: Which modules its manifest may name.

    Raises:
        SpecError: If its degradation is none of pdloss's, nor allowed by `trusted`.
        RunError: If the folder is not a finished set, holds other files than its manifest says, or was made of other
            photographs.
    """

    def __init__(self, folder: Path, photographs: Photographs, trusted: Trust = RECEIVED) -> None:
        self.folder, self.photographs = folder, photographs
        self.manifest = read_record(folder / MANIFEST, Manifest)
        known = [image.target for image in self.manifest.images]
        if left := sorted(set(known) ^ set(photographs.names)):
            raise RunError(
                f"{folder} was made of other photographs than {photographs.folder}: only one of them has "
                f"{first_few(left, 5)}"
            )
        self.chain = degradations.parse(self.manifest.degradation, trusted)
        self.images = {image.target: image for image in self.manifest.images}
        _check_files(folder, self.manifest)

    def __len__(self) -> int:
        return len(self.photographs)

    def __getitem__(self, index: int) -> Pair:
        name = self.photographs.names[index]
        image = self.images[name]
        pixels, path = self.photographs[index], path_inside(self.folder, as_path(image.file).as_posix(), "the image")
        if pixels_sha256(pixels) != image.target_sha256:
            raise RunError(f"{self.photographs.folder / name} is not the photograph that {path} was made from")
        degraded = read_image(path)
        factor = factor_of(self.chain.build())
        height, width = (factor * side for side in degraded.shape[1:])
        return Pair(degraded, pixels[:, :height, :width].float() / 255, name)

    @property
    def description(self) -> str:
        """What was done to the images, and the hash by which the set is known."""
        digest = sha256(self.folder / MANIFEST)
        return f"{self.manifest.degradation}, seed {self.manifest.seed}, frozen as {digest[:12]}"


def is_frozen(folder: Path) -> bool:
    """Returns whether a folder is a frozen set, or one that was not finished; of any other, nothing is known."""
    return (folder / MANIFEST).exists() or is_unfinished(folder)


def freeze(
    photographs: Photographs,
    degradation: str,
    out: Path,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
    trusted: Trust = RECEIVED,
) -> Manifest:
    """Degrades every photograph, as evaluation with that seed would, and writes the set; returns its manifest.

    Args:
        photographs: The clean images.
        degradation: Such as ``"blur(support=1..15) | noise(sigma=0..5/255)"``.
        out: Folder to write to, new or empty; a set that was not finished is written anew.
        seed: With each file's name, chooses everything random.
        progress: Told of every image done.
        trusted: Whose text the degradation is; only `TYPED` may name a class of the user's own.

    Raises:
        SpecError: If the degradation cannot be used, or its result is no RGB image.
        ImageError: If it leaves no pixels of a photograph.
        RunError: If the folder holds another finished set, or other files.
    """
    check_seed(seed)
    chain = degradations.parse(degradation, trusted)
    _clear(out)
    pairs, images = Pairs(photographs, chain, seed), []
    files = list(written_names(photographs.names).values())
    for index, (name, file) in enumerate(zip(photographs.names, files, strict=True)):
        pixels, path = photographs[index], out / as_path(file)
        _check_side(photographs.folder / name, pixels, chain)
        degraded = pairs[index].degraded
        if degraded.shape[0] != 3:
            raise SpecError(f"{degradation} makes {degraded.shape[0]} planes, but a frozen set holds RGB images")
        if index == 0:
            mark_unfinished(out, files)
        write_image(path, degraded)
        drawn = chain.drawn(generator(seed, name))  # as the pair was: what is drawn comes first in the stream
        images.append(
            FrozenImage(
                target=name, target_sha256=pixels_sha256(pixels), degradation=drawn.in_full(),
                file=file, sha256=sha256(path),
            )
        )  # fmt: skip
        if progress:
            progress(index + 1, len(photographs))
    manifest = Manifest(
        degradation=chain.in_full(), seed=seed, codec=degradations.codec(), versions=versions(), images=images
    )
    write_record(out / MANIFEST, manifest)
    finish(out)
    return manifest


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Refuses a set of which a file is missing or changed, or that holds images which its manifest does not know.

    Raises:
        RunError: Naming the file, or the first five.
    """
    for image in manifest.images:
        path = path_inside(folder, as_path(image.file).as_posix(), f"what {folder / MANIFEST} names,")
        if not path.exists() or sha256(path) != image.sha256:
            problem = "changed" if path.exists() else "missing"
            raise RunError(f"{path} is {problem}: make the set anew, or fetch it again")
    if extra := _visible(folder, "*.png", but=[image.file for image in manifest.images]):
        raise RunError(
            f"{folder} holds images that its {MANIFEST} does not name: {first_few(extra, 5)}; take them out of it"
        )


def _check_side(photograph: Path, pixels: UInt8[Tensor, "3 h w"], chain: degradations.Chain) -> None:
    height, width = pixels.shape[1:]
    if min(height, width) < chain.factor:
        raise ImageError(
            f"{photograph} is {width}x{height} pixels, too small for {chain}: each side needs at least {chain.factor}; "
            "leave it out, or choose a smaller factor"
        )


def _clear(out: Path) -> None:
    """Makes room for a set: removes what one that was not finished left, and nothing else.

    Raises:
        RunError: If there are other files: a photograph of the same name would be written over.
        UserError: If what that one left names files outside the folder.
    """
    if (out / MANIFEST).exists():
        raise RunError(f"{out} already holds a frozen set; choose another --out")
    if not out.exists():
        return
    if others := _visible(out, "*", but=unfinished_names(out)):
        raise RunError(f"{out} holds other files ({first_few(others, 5)}); choose another --out")
    clear_unfinished(out)


def _visible(folder: Path, pattern: str, but: Sequence[str]) -> list[str]:
    """Returns the files below a folder, by their path from there, but for those of hidden names."""
    found = (spelled(path.relative_to(folder).as_posix()) for path in folder.rglob(pattern) if path.is_file())
    return sorted(name for name in found if name not in but and not re.search(r"(^|/)\.", name))
