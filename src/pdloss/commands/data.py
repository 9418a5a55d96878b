"""``pdloss data``: lists public sets of photographs, and fetches them."""

import argparse
from pathlib import Path

from pdloss.files.downloads import readable
from pdloss.photo_sets import library
from pdloss.photo_sets.catalogue import SETS, PhotoSet
from pdloss.photo_sets.library import DataError

_KINDS = {
    "sha256": "SHA-256",
    "md5": "MD5, which finds damage but not forgery",
    "pixels": "SHA-256 of pixels",
}
_WIDE = 140
"""Columns of a terminal from which on the list is a table: in a narrower one, its words would be cut up."""


def main(argv: list[str]) -> int:
    """Runs ``pdloss data [list] | get NAME`` and returns the exit status.

    Raises:
        DataError: If a set is unknown or cannot be had.
    """
    arguments = _parser().parse_args(argv)
    if arguments.verb == "get":
        _get(arguments.name, arguments.out, arguments.part)
    else:
        _list()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pdloss data",
        description="Public sets of photographs: listed without a verb, and fetched into ./data/NAME "
        "(PDLOSS_DATA moves ./data) by 'get', which verifies every file and goes on with what broke off.",
    )
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("list", help="show every set: its parts, size, terms, and whether it is here")
    get = verbs.add_parser("get", help="fetch a set that is not here yet, or go on with it")
    get.add_argument("name", metavar="NAME", help=f"one of {', '.join(SETS)}")
    get.add_argument("--out", type=Path, help="folder of the set; ./data/NAME unless given")
    get.add_argument("--part", help="only this part, such as train or valid")
    return parser


def _get(name: str, out: Path | None, part: str | None) -> None:
    folder = library.get(name, out, part)
    known = library.photo_set(name)
    for each in known.parts:
        if part in (None, each.folder):
            print(f"{name}: {each.images} images in {folder / each.folder}")
    print(f"terms: {known.terms}")


def _list() -> None:
    from rich.console import Console

    from pdloss.tables import terminal
    from pdloss.tables.table import Table

    if Console().width < _WIDE:
        for known in SETS.values():
            print(f"{known.name}: {known.about}\n  {_images(known)} images; {_size(known)}, checked by {_kind(known)}")
            print(f"  terms: {known.terms}\n  {_state(known)}\n")
        return
    headings = "name", "images", "download", "checked by", "state", "terms", "what it is"
    rows = tuple(
        (known.name, _images(known), _size(known), _kind(known), _state(known), known.terms, known.about)
        for known in SETS.values()
    )
    terminal.show([Table("", headings, rows, left=len(headings))])


def _kind(known: PhotoSet) -> str:
    return _KINDS[known.parts[0].downloads[0].kind]


def _images(known: PhotoSet) -> str:
    return ", ".join(f"{part.folder} {part.images}".strip() for part in known.parts)


def _size(known: PhotoSet) -> str:
    downloads = {each for part in known.parts for each in part.downloads}
    sizes = [each.size for each in downloads]
    if None not in sizes:
        return readable(sum(filter(None, sizes)))
    roughly = readable(sum(part.bytes for part in known.parts))
    return f"about {roughly}" if known.parts[0].inside is None else f"over {roughly}"


def _state(known: PhotoSet) -> str:
    folder = library.default_folder(known.name)
    try:
        found = {part.folder or "all": library.state(known.name, part, folder) for part in known.parts}
    except DataError as error:
        return str(error)
    states = set(found.values())
    words: list[str] = [*states] if len(states) == 1 else [f"{part} {state}" for part, state in found.items()]
    if came := library.unfinished(folder):
        words.append(f"{readable(came)} came, unfinished")
    return f"{', '.join(words)}: {folder}" if "here" in states else ", ".join(words)
