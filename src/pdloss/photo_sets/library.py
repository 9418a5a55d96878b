"""Sets of photographs on this machine: what is here, and fetching what is not.

A set lies in a folder of its own: ``./data/NAME``, or below the folder that the environment variable ``PDLOSS_DATA``
names. Beside the images stands ``photo_set.json``, which says what was fetched and verified.
"""

import errno
import os
from pathlib import Path
from typing import Literal

from pdloss.errors import RunError
from pdloss.files import refuse_link
from pdloss.files.archives import ArchiveError
from pdloss.files.downloads import TransferError, alone, check_room, readable, say
from pdloss.photo_sets.catalogue import SETS, Part, PhotoSet
from pdloss.photo_sets.fetching import DataError, FetchedPart, fetch_archive, fetch_images, part_file, tidy
from pdloss.records import Record, read_record, write_record
from pdloss.specs import check_known

__all__ = ["RECORD", "DataError", "FetchedPart", "FetchedSet", "default_folder", "get", "photo_set", "state"]

RECORD = "photo_set.json"
_UNFINISHED = ".unfinished"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FetchedSet(Record, frozen=True, kw_only=True):
    """``photo_set.json``: what a folder holds of a set."""

    set: str
    terms: str
    parts: dict[str, FetchedPart]
    """By folder; the empty name is the folder of the record itself."""


def photo_set(name: str) -> PhotoSet:
    """Returns the set of that name.

    Raises:
        DataError: If there is none.
    """
    check_known("set of photographs", name, SETS, DataError)
    return SETS[name]


def default_folder(name: str) -> Path:
    """Returns where a set lies unless somebody says otherwise: below ``PDLOSS_DATA``, else below ``data``."""
    return Path(os.environ.get("PDLOSS_DATA") or "data").expanduser() / name


def state(name: str, part: Part, out: Path) -> Literal["here", "changed", "not here"]:
    """Returns whether `out` holds that part of the set as it was fetched, by the names and sizes of its files.

    Raises:
        DataError: If `out` holds another set.
    """
    fetched = _record(name, out).parts.get(part.folder)
    if fetched is None:
        return "not here"
    folder = out / part.folder
    return "here" if all(_size(folder / file) == size for file, size in fetched.files.items()) else "changed"


def unfinished(out: Path) -> int:
    """Returns how many bytes of downloads that broke off lie in `out`."""
    return sum(file.stat().st_size for file in (out / _UNFINISHED).glob("*") if file.is_file())


def get(name: str, out: Path | None = None, part: str | None = None, progress: bool = True) -> Path:
    """Returns the folder that holds the set, after fetching what is not there.

    Two processes that ask at once share one download. A set that is complete costs a look at its files' sizes.

    Args:
        name: A key of `catalogue.SETS`.
        out: Folder of the set; by default `default_folder`.
        part: One part, such as ``"train"``; by default all.
        progress: Whether to show the time left on standard error.

    Raises:
        DataError: If there is no such set or part, it cannot be had, there is no room, or something stands in the way.
    """
    known = photo_set(name)
    out = default_folder(name) if out is None else out
    parts = _chosen(known, part)
    if not _missing(known, parts, out):
        return out
    if os.environ.get("PDLOSS_OFFLINE", "0") not in ("", "0"):
        raise DataError(
            f"{name} is not in {out}, and PDLOSS_OFFLINE forbids a download; run 'pdloss data get {name}' without it"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with alone(out / name, progress):
            _fetch(known, _missing(known, parts, out), out, progress)
    except DataError:
        raise
    except (TransferError, ArchiveError) as error:
        raise DataError(f"cannot fetch {name}: {error}{_kept(out)}") from None
    except OSError as error:
        cure = "make room" if error.errno in _FULL else "make it writable"
        problem = error.strerror or error
        raise DataError(
            f"cannot keep {name} in {out}: {problem}; {cure}, or choose another --out{_kept(out)}"
        ) from None
    except KeyboardInterrupt:
        if progress:
            say(f"stopped{_kept(out)}")
        raise
    return out


def _chosen(known: PhotoSet, part: str | None) -> tuple[Part, ...]:
    if part is None:
        return known.parts
    folders = [each.folder for each in known.parts if each.folder]
    if part not in folders:
        choice = f"choose from {', '.join(folders)}" if folders else "it is in one piece: leave --part out"
        raise DataError(f"{known.name} has no part {part!r}; {choice}")
    return tuple(each for each in known.parts if each.folder == part)


def _missing(known: PhotoSet, parts: tuple[Part, ...], out: Path) -> list[Part]:
    """Returns the parts to fetch, after making sure that nothing stands in their way."""
    missing = []
    for part in parts:
        if (found := state(known.name, part, out)) == "here":
            continue
        folder = out / part.folder
        if part.inside is not None and folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            was = "has changed since it was fetched" if found == "changed" else "exists already"
            raise DataError(f"{folder} {was}; move it away, or choose another --out")
        missing.append(part)
    return missing


def _fetch(known: PhotoSet, missing: list[Part], out: Path, progress: bool) -> None:
    work = refuse_link(out / _UNFINISHED)
    work.mkdir(exist_ok=True)
    tidy(known, work)
    to_come = sum(each.size or 0 for each in {each for part in missing for each in part.downloads})
    check_room(out, to_come + sum(part.bytes for part in missing) - unfinished(out))
    for index, part in enumerate(missing):
        if part.inside is None:
            fetched = fetch_images(part, out / part.folder, work, progress)
        else:
            later = [each.bytes for each in missing[index + 1 :] if each.downloads == part.downloads]
            before = {url: sha for each in _record(known.name, out).parts.values() for url, sha in each.sha256.items()}
            fetched = fetch_archive(part, out / part.folder, work, sum(later), progress, before)
            if not later:
                part_file(part.downloads[0], work).unlink()
        parts = _record(known.name, out).parts | {part.folder: fetched}
        write_record(out / RECORD, FetchedSet(set=known.name, terms=known.terms, parts=parts))
    if not any(work.iterdir()):
        work.rmdir()


def _record(name: str, out: Path) -> FetchedSet:
    path = out / RECORD
    if not path.exists():
        return FetchedSet(set=name, terms=SETS[name].terms, parts={})
    try:
        record = read_record(path, FetchedSet)
    except RunError as error:
        raise DataError(f"{error}; move {out} away, or choose another --out") from None
    if record.set != name:
        raise DataError(f"{out} holds {record.set}, not {name}; choose another --out")
    return record


def _kept(out: Path) -> str:
    kept = unfinished(out)
    return f"; {readable(kept)} that came so far are kept, and the same command goes on from there" if kept else ""


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else -1
