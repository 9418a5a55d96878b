"""Pretrained files by name: looked for in a folder, else fetched once, verified and kept.

A file is looked for in the folder that the environment variable ``PDLOSS_ASSETS`` names, then in the cache
(``PDLOSS_CACHE``, else the platform's own), and is then downloaded, unless ``PDLOSS_OFFLINE`` is set. Every file is
verified before use: a ready-made one by its SHA-256, one that was converted here by the hashes written into it.
"""

import difflib
import functools
import hashlib
import os
import sys
from pathlib import Path

from pdloss.catalogue import ASSETS, CONVENTIONS, Asset, Source
from pdloss.errors import AssetError
from pdloss.fetching import TransferError, content_sha256, fetch, read_header

__all__ = ["ASSETS", "CONVENTIONS", "Asset", "Source", "cache_folder", "find", "metadata", "path", "sha256"]


def find(name: str) -> Path | None:
    """Returns where the file stands on this machine, or None; never downloads.

    Raises:
        AssetError: If the name is unknown, or a file of that name is not what it should be.
    """
    asset = _asset(name)
    for folder, _ in _folders():
        file = folder / asset.file
        if file.is_file():
            _verify(asset, file)
            return file
    return None


def path(name: str, progress: bool = True) -> Path:
    """Returns where the file stands, after downloading it if need be.

    Two processes that ask at once share one download.

    Args:
        name: A key of `ASSETS`.
        progress: Whether to show a bar with the time left on standard error.

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
        fetch(asset, cache / asset.file, progress)
    except TransferError as error:
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


def cache_folder() -> Path:
    """Returns where downloads are kept: ``PDLOSS_CACHE``, else the platform's folder for such files."""
    if folder := os.environ.get("PDLOSS_CACHE"):
        return Path(folder).expanduser()
    if folder := os.environ.get("XDG_CACHE_HOME"):
        return Path(folder) / "pdloss"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pdloss"
    if sys.platform == "win32" and (folder := os.environ.get("LOCALAPPDATA")):
        return Path(folder) / "pdloss"
    return Path.home() / ".cache" / "pdloss"


def _asset(name: str) -> Asset:
    if name in ASSETS:
        return ASSETS[name]
    close = difflib.get_close_matches(name, ASSETS, n=1, cutoff=0.5)
    guess = f"did you mean {close[0]!r}? " if close else ""
    raise AssetError(f"unknown asset {name!r}; {guess}Known: {', '.join(ASSETS)}")


def _folders() -> list[tuple[Path, str]]:
    """Where files are looked for, in turn, each with what to call it."""
    named = os.environ.get("PDLOSS_ASSETS")
    own = [(Path(named).expanduser(), "PDLOSS_ASSETS")] if named else []
    return [*own, (cache_folder(), "the cache")]


def _verify(asset: Asset, file: Path) -> None:
    digest = sha256(file)
    ready_made = [source.sha256 for source in asset.sources if source.format == "safetensors"]
    if digest == asset.sha256 or any(digest.startswith(known) for known in ready_made):
        return
    if _is_conversion(asset, file):
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
        if not any(source.startswith(known.sha256) for known in asset.sources):
            return False
        return described.get("content_sha256") == _content_sha256(file, _state(file))
    except (AssetError, ValueError):
        return False


def _state(path: Path) -> tuple[int, int, int, int]:
    status = path.stat()
    # The last is the time of the inode's change: copying over a file with its time stamp keeps all but this.
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, _: tuple[int, int, int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.lru_cache(maxsize=64)
def _content_sha256(path: Path, _: tuple[int, int, int, int]) -> str:
    with path.open("rb") as file:
        return content_sha256(file)


def _missing(asset: Asset, why: str, *cures: str) -> AssetError:
    places = [f"{folder} ({label}{'' if folder.is_dir() else ', no such folder'})" for folder, label in _folders()]
    cure = _or(asset, [*cures, "put the file into a folder and set PDLOSS_ASSETS to it"])
    return AssetError(f"{asset.file} is not in {' nor in '.join(places)}, and {why}; {cure}")


def _or(asset: Asset, cures: list[str]) -> str:
    return ", or ".join([*cures, asset.instead] if asset.instead else cures)
