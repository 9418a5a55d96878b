"""The mark of a folder whose files are still being written: which names in it are ours to remove."""

import json
from collections.abc import Sequence
from pathlib import Path

from pdloss.errors import UserError
from pdloss.files.atomic import remove_unfinished, write_text
from pdloss.files.inside import path_inside, refuse_link
from pdloss.files.spelling import as_path

_MARK = ".unfinished.json"


def mark_unfinished(folder: Path, names: Sequence[str]) -> None:
    """Notes the files that are about to be written in the folder, their names spelled (`pdloss.files.spelling`)."""
    write_text(folder / _MARK, json.dumps(list(names)))


def unfinished_names(folder: Path) -> list[str]:
    """Returns the names that the folder's mark gives; none without a mark.

    Raises:
        UserError: If the mark is a link, is damaged, or gives what is no path inside the folder.
    """
    mark = refuse_link(folder / _MARK)
    if not mark.exists():
        return []
    try:
        names = json.loads(mark.read_bytes())
        if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            raise ValueError("no list of names")
    except (ValueError, RecursionError):
        raise UserError(f"{mark} is damaged; remove it, and what was being written beside it") from None
    for name in names:
        path_inside(folder, as_path(name).as_posix(), f"what {mark} names,")
    return names


def clear_unfinished(folder: Path) -> list[str]:
    """Removes the files that the mark gives, and half-written ones; returns their names.

    Raises:
        UserError: As `unfinished_names`; nothing has been removed then.
    """
    names = unfinished_names(folder)
    files = [folder / as_path(name) for name in names]
    for file in files:
        file.unlink(missing_ok=True)
    for place in {folder, *(file.parent for file in files)}:
        if place.is_dir():
            remove_unfinished(place)
    return names


def is_unfinished(folder: Path) -> bool:
    """Returns whether the mark stands in the folder."""
    return (folder / _MARK).exists()


def finish(folder: Path) -> None:
    """Takes the mark away: the files are whole."""
    (folder / _MARK).unlink(missing_ok=True)
