"""``pdloss assets``: lists the pretrained files, fetches them, says where they are."""

import argparse
import sys
from pathlib import Path

from pdloss import assets
from pdloss.assets.catalogue import Asset
from pdloss.errors import AssetError


def main(argv: list[str]) -> int:
    """Runs ``pdloss assets list | get NAME... | path NAME | import FILE --as NAME`` and returns the exit status.

    Raises:
        AssetError: If a name is unknown or a file cannot be had.
    """
    arguments = _parser().parse_args(argv)
    if arguments.verb == "list":
        _list()
    elif arguments.verb == "get":
        for name in arguments.names:
            sys.stdout.write(f"{name}: {assets.path(name, short_hash=arguments.accept_short_hash)}\n")
    elif arguments.verb == "import":
        _import(arguments.file, arguments.name)
    else:
        sys.stdout.write(f"{assets.path(arguments.name)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pdloss assets",
        description="Pretrained files: looked for in the folder PDLOSS_ASSETS, then in the cache "
        f"({assets.cache_folder()}; PDLOSS_CACHE moves it), then downloaded unless PDLOSS_OFFLINE=1.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="show every file: where it is, its size, licence and input convention")
    get = verbs.add_parser("get", help="fetch files that are not here yet")
    get.add_argument("names", nargs="+", metavar="NAME", help="a name that 'list' shows")
    get.add_argument(
        "--accept-short-hash",
        action="store_true",
        help="fetch also where only the first digits of the hash are published; the whole hash of what comes first is "
        "shown, remembered and demanded from then on",
    )
    own = verbs.add_parser(
        "import",
        help="take a file that you have from elsewhere",
        description="Takes a file that you have from elsewhere: safetensors, or .pth, of which plain tensors are read "
        "and nothing is run. One with a hash of the catalogue is as good as fetched; of any other, shapes and the "
        "activations on a test picture must be those known, and it is taken on your word.",
    )
    own.add_argument("file", type=Path, metavar="FILE")
    own.add_argument("--as", dest="name", required=True, metavar="NAME", help="a name that 'list' shows")
    path = verbs.add_parser("path", help="print where a file is, and nothing else; fetches it if need be")
    path.add_argument("name", metavar="NAME", help="a name that 'list' shows")
    return parser


def _import(file: Path, name: str) -> None:
    from pdloss.features.importing import import_asset

    made = import_asset(file, name)
    if made.known:
        said = "a file of the catalogue, known by its hash"
    else:
        said = (
            f"taken on your word: shapes as they must be, activations on a test picture within "
            f"{made.largest_difference:.2%} of those known; runs that use it will say so"
        )
    sys.stdout.write(f"{name}: {made.path}\nSHA-256 of {file}: {made.sha256}\n{said}\n")


def _list() -> None:
    from pdloss.tables import terminal
    from pdloss.tables.table import Table

    headings = "name", "where", "size", "licence", "input", "download"
    rows = tuple(
        (asset.name, *_whereabouts(asset), asset.license, asset.convention, _download(asset))
        for asset in assets.ASSETS.values()
    )
    terminal.show([Table("", headings, rows, left=len(headings))])
    terminal.say(f"{convention}: {meaning}" for convention, meaning in assets.CONVENTIONS.items())


def _whereabouts(asset: Asset) -> tuple[str, str]:
    try:
        file = assets.find(asset.name)
    except AssetError:
        return "here, but wrong: see 'path'", ""
    if file is None:
        return "not here", ""
    word = " (imported)" if asset.name in assets.imported(assets.cache_folder()) else ""
    return f"{file.parent}{word}", _megabytes(file.stat().st_size)


def _download(asset: Asset) -> str:
    if not asset.sources:
        return "no"
    size = next((f", {_megabytes(source.size)}" for source in asset.sources if source.size), "")
    # Eight digits find damage, but someone could make another file that begins the same way.
    hashes = "" if all(source.whole_hash for source in asset.sources) else ", hash known in part: --accept-short-hash"
    package = ", from a Python package" if any(source.package for source in asset.sources) else ""
    return f"yes{size}{package}{hashes}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size < 1e6 else f"{size / 1e6:.0f} MB"
