"""Pretrained files by name: looked for in a folder, else fetched once, verified and kept.

A file is looked for in the folder that the environment variable ``PDLOSS_ASSETS`` names, then in the cache
(``PDLOSS_CACHE``, else the platform's own), and is then downloaded, unless ``PDLOSS_OFFLINE`` is set. Every file is
verified before use: a ready-made one by its SHA-256, one that was converted here by the hashes written into it.
"""

import difflib
import functools
import os
from pathlib import Path

from pdloss.assets.catalogue import ASSETS, CONVENTIONS, Asset
from pdloss.assets.fetching import TransferError, content_sha256, fetch, remembered
from pdloss.assets.places import folders
from pdloss.assets.sources import Source
from pdloss.errors import AssetError
from pdloss.files import cache_folder
from pdloss.files.checksums import checksum
from pdloss.limits import HEADER_BYTES, bounded, read_header, read_json

IMPORTED = "imported.json"
"""In the cache: which files were taken on the user's word (``pdloss assets import``)."""

__all__ = ["ASSETS", "CONVENTIONS", "Asset", "Source", "cache_folder", "find", "imported", "metadata", "path", "sha256"]


def find(name: str) -> Path | None:
    """Returns where the file stands on this machine, or None; never downloads.

    Raises:
        AssetError: If the name is unknown, or a file of that name is not what it should be.
    """
    asset = _asset(name)
    for folder, _ in folders():
        file = folder / asset.file
        if file.is_file():
            _verify(asset, file)
            return file
    return None


def path(name: str, progress: bool = True, short_hash: bool = False) -> Path:
    """Returns where the file stands, after downloading it if need be.

    Two processes that ask at once share one download.

    Args:
        name: A key of `ASSETS`.
        progress: Whether to show a bar with the time left on standard error.
        short_hash: Whether to fetch from addresses of which only the first digits of the hash are known.

    Raises:
        AssetError: If the name is unknown, the file cannot be had, or is not what it should be.
    """
    asset = _asset(name)
    if found := find(name):
        return found
    get = f"pdloss assets get {name}"
    if os.environ.get("PDLOSS_OFFLINE", "0") not in ("", "0"):
        raise _missing(asset, "PDLOSS_OFFLINE forbids a download", f"run '{get}' without PDLOSS_OFFLINE")
    if not asset.sources:
        raise _missing(asset, "no download address is known")
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        fetch(asset, cache / asset.file, progress, short_hash)
    except TransferError as error:
        if not short_hash and not all(source.whole_hash for source in asset.sources):
            raise _missing(
                asset,
                f"no address served it that is known by its whole hash ({error})",
                f"say '{get} --accept-short-hash' to take what comes and remember its hash",
                f"'pdloss assets import FILE --as {name}' where you have it from somewhere you trust",
            ) from None
        raise _missing(asset, f"no address served it ({error})", f"try again with '{get}'") from None
    except OSError as error:
        raise AssetError(
            f"cannot keep {asset.file} in {cache}: {error.strerror or error}; "
            "set PDLOSS_CACHE to a folder that can be written"
        ) from None
    _verify(asset, cache / asset.file)
    return cache / asset.file


def metadata(path: Path) -> dict[str, str]:
    """Returns the string metadata in the header of a safetensors file: source, licence, input convention …

    Raises:
        AssetError: If it is not a safetensors file.
    """
    try:
        with path.open("rb") as file:
            described = dict(read_header(file).get("__metadata__", {}))
    except (OSError, TypeError, ValueError) as error:
        raise AssetError(f"{path} cannot be read as a safetensors file: {error}") from None
    return {str(key): str(value) for key, value in described.items()}


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal; remembered until the file's size, times or inode differ."""
    return _sha256(path, _state(path))


def _asset(name: str) -> Asset:
    if name in ASSETS:
        return ASSETS[name]
    close = difflib.get_close_matches(name, ASSETS, n=1, cutoff=0.5)
    guess = f"did you mean {close[0]!r}? " if close else ""
    raise AssetError(f"unknown asset {name!r}; {guess}Known: {', '.join(ASSETS)}")


def _verify(asset: Asset, file: Path) -> None:
    digest = sha256(file)
    ready_made = [source.sha256 for source in asset.sources if source.format == "safetensors"]
    if digest == asset.sha256 or any(digest.startswith(known) for known in ready_made):
        return
    if _is_conversion(asset, file):
        return
    # Only in the user's own cache: a folder that was passed on cannot vouch for itself.
    if file.parent == cache_folder() and imported(file.parent).get(asset.name) == digest:
        return
    known = f"expected {asset.sha256[:8]}" if asset.sha256 else "and it was not converted from a known source"
    cures = ["replace it with the right file"]
    if asset.sources:
        cures.append(f"delete it and run 'pdloss assets get {asset.name}'")
    raise AssetError(f"{file} is not {asset.name}: its SHA-256 begins with {digest[:8]}, {known}; {_or(asset, cures)}")


def _is_conversion(asset: Asset, file: Path) -> bool:
    """Whether the file says that it comes from one of the asset's sources, and its tensors are still those written.

    This finds damage and mix-ups, not forgery: who can write the folder can write the hashes in the file too.
    """
    try:
        described = metadata(file)
        source = described.get("source_sha256", "")
        pins = [known.sha256 for known in asset.sources if source.startswith(known.sha256)]
        first = remembered(file.parent)
        if not pins or any(first.get(pin, source) != source for pin in pins):
            return False
        return described.get("content_sha256") == _content_sha256(file, _state(file))
    except (AssetError, TransferError, ValueError):
        return False


def imported(folder: Path) -> dict[str, str]:
    """Returns the hashes of the files in the folder that a user vouched for, by the names of the assets."""
    try:
        read = read_json(bounded(folder / IMPORTED, HEADER_BYTES, "list of hashes"))
        return {str(name): str(digest) for name, digest in read.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise AssetError(f"{folder / IMPORTED} cannot be read ({error}); move it away, and import anew") from None


def _state(path: Path) -> tuple[int, int, int, int]:
    status = path.stat()
    # The last is the time of the inode's change: copying over a file with its time stamp keeps all but this.
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, _: tuple[int, int, int, int]) -> str:
    return checksum(path)


@functools.lru_cache(maxsize=64)
def _content_sha256(path: Path, _: tuple[int, int, int, int]) -> str:
    with path.open("rb") as file:
        return content_sha256(file)


def _missing(asset: Asset, why: str, *cures: str) -> AssetError:
    places = [f"{folder} ({label}{'' if folder.is_dir() else ', no such folder'})" for folder, label in folders()]
    cure = _or(asset, [*cures, "put the file into a folder and set PDLOSS_ASSETS to it"])
    return AssetError(f"{asset.file} is not in {' nor in '.join(places)}, and {why}; {cure}")


def _or(asset: Asset, cures: list[str]) -> str:
    return ", or ".join([*cures, asset.instead] if asset.instead else cures)
