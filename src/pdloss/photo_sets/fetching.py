"""Fetches one part of a set of photographs: downloads, verifies, unpacks, and only then moves it to where it belongs.

What is not finished lies in a folder of its own, under names that say which address and checksum it belongs to; the
next call goes on with it. Nothing that stands under a final name is overwritten or removed.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from pdloss.errors import ImageError, UserError
from pdloss.files.archives import ArchiveError, unpack
from pdloss.files.checksums import checksum
from pdloss.files.downloads import TransferError, download, say
from pdloss.photo_sets.catalogue import Download, Part, PhotoSet
from pdloss.records import Record

_SUFFIXES = (".png", ".jpg")
"""Of the images in the archives of `catalogue`; to ask `images`, which reads more kinds, would import torch."""
_LABELS = {"sha256": "SHA-256", "md5": "MD5", "pixels": "SHA-256 of the pixels"}


class DataError(UserError, OSError):
    """A set of photographs is not at hand and cannot be fetched."""


class FetchedPart(Record, frozen=True, kw_only=True):
    """One folder of images that was fetched whole."""

    files: dict[str, int]
    """The images' sizes in bytes, by name."""
    sha256: dict[str, str]
    """SHA-256 of each download, by address."""
    checked: dict[str, str]
    """The published checksum that each download was found to have, by address."""


def part_file(wanted: Download, work: Path) -> Path:
    """Returns where a download grows: another address or checksum means another file."""
    tag = hashlib.sha256(f"{wanted.url} {wanted.checksum}".encode()).hexdigest()[:12]
    return work / f"{wanted.name}.{tag}.part"


def tidy(known: PhotoSet, work: Path) -> None:
    """Removes half-unpacked folders, and what belongs to no address of the set any more."""
    downloads = [each for part in known.parts for each in part.downloads]
    kept = {part_file(each, work).name for each in downloads} | {each.name for each in downloads}
    for left in work.iterdir():
        if left.is_dir() and not left.is_symlink():  # of a link, only the link goes
            shutil.rmtree(left)
        elif left.name not in kept:
            left.unlink()


def fetch_archive(
    part: Part, folder: Path, work: Path, spare: int, progress: bool, before: Mapping[str, str]
) -> FetchedPart:
    """Fetches the part's archive, which stays in `work`, and unpacks its images to `folder`.

    Args:
        part: One with an archive.
        folder: Where the images shall lie; absent or empty.
        work: Where unfinished things lie.
        spare: Bytes that must stay free when all is done.
        progress: Whether to show the time left on standard error.
        before: SHA-256 of what came before, by address.

    Raises:
        TransferError: If the archive cannot be had, or is another than the one that came before.
        ArchiveError: If it does not hold what it should.
        OSError: If there is no room.
    """
    (archive,) = part.downloads
    file = part_file(archive, work)
    _obtain(archive, file, part.bytes + spare, progress)
    sha256 = _sha256(archive, file)
    if (known := before.get(archive.url, sha256)) != sha256:
        file.unlink()
        raise TransferError(
            f"{archive.url} is not what it was: its SHA-256 is {sha256}, and what came first had {known}; it was "
            "thrown away. If the publisher changed it, fetch the whole set anew into another --out"
        )
    if progress and archive.forgeable:
        say(f"{archive.name}: SHA-256 {sha256}; only an MD5 is published, which finds damage, but not forgery: compare")
    if progress:
        say(f"{archive.name}: unpacking {part.images} images to {folder}")
    fresh = work / part.folder
    try:
        files = unpack(file, part.inside or "", fresh, _SUFFIXES)
        if len(files) != part.images:
            raise ArchiveError(f"it holds {len(files)} images in {part.inside}, expected {part.images}")
        if folder.is_dir():
            folder.rmdir()
        fresh.rename(folder)
    except ArchiveError as error:
        raise ArchiveError(f"{file}: {error}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return FetchedPart(files=files, sha256={archive.url: sha256}, checked={archive.url: archive.checksum})


def fetch_images(part: Part, folder: Path, work: Path, progress: bool) -> FetchedPart:
    """Fetches every image of the part into `work`, and then moves them: half a set would be taken for the whole.

    Raises:
        DataError: If another image has the name of one of them.
        TransferError: If one cannot be had.
        OSError: If there is no room.
    """
    count = len(part.downloads)
    for done, each in enumerate(part.downloads, start=1):
        there = folder / each.name
        if there.exists():
            if problem := _problem(each, there):
                raise DataError(f"{there} is not the published image, {problem}; move it away, or choose another --out")
        elif not (work / each.name).exists():
            file = part_file(each, work)
            _obtain(each, file, part.bytes * (count - done) // count, progress)
            file.rename(work / each.name)
    folder.mkdir(exist_ok=True)
    for each in part.downloads:
        if not (folder / each.name).exists():
            (work / each.name).rename(folder / each.name)
    return FetchedPart(
        files={each.name: (folder / each.name).stat().st_size for each in part.downloads},
        sha256={each.url: _sha256(each, folder / each.name) for each in part.downloads},
        checked={each.url: each.checksum for each in part.downloads},
    )


def _obtain(wanted: Download, file: Path, spare: int, progress: bool) -> None:
    """Downloads until `file` has the published checksum; one that was gone on with in vain is begun anew, once."""
    while True:
        try:
            resumed = download(wanted.url, file, label=wanted.name, size=wanted.size, spare=spare, progress=progress)
        except TransferError as error:
            raise TransferError(f"{wanted.url}: {error}") from None
        if not (problem := _problem(wanted, file)):
            return
        file.unlink()
        if not resumed:
            raise TransferError(f"{wanted.url} is not the published file, {problem}; it was thrown away")
        if progress:
            say(f"{wanted.name}: what was gone on with is not the published file, {problem}; beginning anew")


def _problem(wanted: Download, file: Path) -> str | None:
    """Returns how the file differs from the published one, or None."""
    kind, _, expected = wanted.checksum.partition(":")
    if kind == "pixels":
        from pdloss.images import pixels_sha256, read_pixels

        try:
            found = pixels_sha256(read_pixels(file).pixels)
        except ImageError:
            return "it is no image that can be read"
    else:
        found = checksum(file, "md5" if kind == "md5" else "sha256")
    return None if found == expected else f"its {_LABELS[kind]} begins with {found[:8]}, expected {expected[:8]}"


def _sha256(wanted: Download, verified: Path) -> str:
    kind, _, expected = wanted.checksum.partition(":")
    return expected if kind == "sha256" else checksum(verified)
