"""The decoded pixels of many images in one file of the cache, mapped into memory.

All processes on a machine share the mapped pages, which the system drops and reads again as memory allows: a set larger
than memory trains, loader workers hold no copies, and a second run starts at once. The file's name says of which
contents it was made, so that old pixels are never taken for new ones; a list of the images stands at its end, with a
digest of each one's pixels, verified when a process first uses them.
"""

import errno
import hashlib
import itertools
import os
import shutil
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import torch
from jaxtyping import UInt8
from msgspec.structs import replace
from torch import Tensor

from pdloss.assets import cache_folder
from pdloss.datasets.contents import place
from pdloss.datasets.near_duplicates import picture_hash
from pdloss.datasets.sources import Source
from pdloss.devices.provenance import versions
from pdloss.errors import ImageError
from pdloss.files import write_atomically
from pdloss.images import Picture
from pdloss.picture_files import READING
from pdloss.records import Record

SPARE_ROOM = 1 << 30
"""Bytes of the disk that the cache leaves free."""
_LENGTH = 8
"""Bytes at the end of the file that hold the length of the list before them."""
_DIGEST = 32
"""Bytes before those, which hold the list's SHA-256."""


class ImageInfo(Record, frozen=True, kw_only=True):
    """What was found when an image was decoded."""

    name: str
    height: int = 0
    width: int = 0
    note: str = ""
    """Conversions, as in `images.Picture`."""
    hash: str = ""
    """`near_duplicates.picture_hash`."""
    sha256: str = ""
    """Of the pixels as the file holds them."""
    problem: str = ""
    """Why it cannot be used; empty if it can."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width


class Mapped:
    """Pixels in a finished file; pickled, it travels as the file's name.

    Args:
        path: The file.
        images: The list at its end.
    """

    def __init__(self, path: Path, images: list[ImageInfo]) -> None:
        self.path = path
        self.shapes = [image.shape for image in images]
        sizes = [3 * image.height * image.width for image in images]
        self.starts = list(itertools.accumulate(sizes, initial=0))
        self.digests = [(image.name, image.sha256) for image in images]
        self._verified: set[int] = set()
        self._bytes: Tensor | None = None

    def __getitem__(self, index: int) -> UInt8[Tensor, "3 h w"]:
        if self._bytes is None:
            # Private: nothing that a program writes into the tensor by mistake reaches the file.
            self._bytes = torch.from_file(str(self.path), shared=False, size=self.starts[-1], dtype=torch.uint8)
        height, width = self.shapes[index]
        pixels = self._bytes[self.starts[index] : self.starts[index + 1]]
        if index not in self._verified:
            self._verify(index, pixels)
        return pixels.view(height, width, 3).permute(2, 0, 1)

    def _verify(self, index: int, pixels: Tensor) -> None:
        """Refuses pixels that are not those written, and removes the file, which can be made anew.

        Raises:
            ImageError: Naming the file and the image.
        """
        name, digest = self.digests[index]
        if hashlib.sha256(pixels.numpy().data).hexdigest() != digest:
            self.path.unlink(missing_ok=True)
            raise ImageError(
                f"{self.path}, the decoded photographs in the cache, is damaged at {name}; it was removed, and the "
                "same command decodes them anew"
            )
        self._verified.add(index)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_bytes": None, "_verified": set()}


def file_for(source: Source, contents: Mapping[str, str]) -> Path:
    """Returns where the pixels of these very images are kept: the folder's place, then names and contents, as hashes.

    Args:
        source: The images.
        contents: Digest of each, from `contents.contents`.
    """
    # Other versions, and other rules of our own, may read a file otherwise.
    made_by = f"{versions()['pdloss']} {versions()['pillow']} {READING}\n"
    images = hashlib.sha256((made_by + "".join(f"{n}\0{d}\n" for n, d in contents.items())).encode()).hexdigest()
    return cache_folder() / "decoded" / f"{place(source.place)}-{images[:32]}.rgb"


def read_list(path: Path) -> list[ImageInfo] | None:
    """Returns the list at the end of the file, or None if there is no such file, or it is not what it should be."""
    try:
        with path.open("rb") as file:
            whole = file.seek(-_LENGTH, os.SEEK_END) + _LENGTH
            length = int.from_bytes(file.read(_LENGTH), "big")
            file.seek(-_LENGTH - _DIGEST - length, os.SEEK_END)
            text, digest = file.read(length), file.read(_DIGEST)
            if hashlib.sha256(text).digest() != digest:
                return None
            images = msgspec.json.decode(text, type=list[ImageInfo])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    pixels = sum(3 * image.height * image.width for image in images)
    return images if whole == pixels + length + _DIGEST + _LENGTH else None


def write(path: Path, images: Iterator[tuple[ImageInfo, Picture | None]]) -> tuple[list[ImageInfo], str]:
    """Writes the pixels of all images to the file, and removes files made of earlier states of the same folder.

    Args:
        path: From `file_for`.
        images: As `look` gives them.

    Returns:
        What was found, and why the file could not be written; empty if it was. All images are decoded anyway.
    """
    found: list[ImageInfo] = []

    def written(temporary: Path) -> None:
        with temporary.open("wb") as file:
            for info, picture in images:
                if picture is None:
                    found.append(info)
                    continue
                pixels = picture.pixels.permute(1, 2, 0).contiguous().numpy().data
                found.append(replace(info, sha256=hashlib.sha256(pixels).hexdigest()))
                if shutil.disk_usage(path.parent).free < SPARE_ROOM + picture.pixels.nbytes:
                    raise OSError(errno.ENOSPC, f"less than {SPARE_ROOM >> 30} GiB would stay free")
                file.write(pixels)
            index = msgspec.json.encode(found)
            file.write(index + hashlib.sha256(index).digest() + len(index).to_bytes(_LENGTH, "big"))

    try:
        write_atomically(path, written)
    except OSError as error:
        found += [info for info, _ in images]
        return found, error.strerror or str(error)
    for old in path.parent.glob(f"{path.name.partition('-')[0]}-*.rgb"):
        if old != path:
            old.unlink(missing_ok=True)
    return found, ""


def decode_all(
    source: Source, accept: Callable[[ImageInfo], object]
) -> Generator[tuple[ImageInfo, Picture | None], None, None]:
    """Yields every image of the source in order, decoded by several threads; nothing of a damaged one.

    Args:
        source: The images.
        accept: Told of each; what it raises ends the decoding.
    """

    def one(name: str) -> tuple[ImageInfo, Picture | None]:
        try:
            picture = source.picture(name)
        except ImageError as error:
            return ImageInfo(name=name, problem=str(error)), None
        _, height, width = picture.pixels.shape
        digest = picture_hash(picture.pixels)
        return ImageInfo(name=name, height=height, width=width, note=picture.note, hash=digest), picture

    with closing(_ahead(one, source.names, min(16, os.cpu_count() or 1))) as results:
        for info, picture in results:
            accept(info)
            yield info, picture


def _ahead(function: Callable[[str], Any], items: Iterable[str], threads: int) -> Generator[Any, None, None]:
    """Yields the results in order; few wait at a time, and when closed early, those still waiting are dropped."""
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Any]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
