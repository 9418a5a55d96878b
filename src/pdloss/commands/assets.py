"""``pdloss assets``: lists the pretrained files, fetches them, says where they are."""

import argparse
import sys

from pdloss import assets
from pdloss.catalogue import Asset
from pdloss.errors import AssetError


def main(argv: list[str]) -> int:
    """Runs ``pdloss assets list | get NAME... | path NAME`` and returns the exit status.

    Raises:
        AssetError: If a name is unknown or a file cannot be had.
    """
    arguments = _parser().parse_args(argv)
    if arguments.verb == "list":
        _list()
    elif arguments.verb == "get":
        for name in arguments.names:
            sys.stdout.write(f"{name}: {assets.path(name)}\n")
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
    path = verbs.add_parser("path", help="print where a file is, and nothing else; fetches it if need be")
    path.add_argument("name", metavar="NAME", help="a name that 'list' shows")
    return parser


def _list() -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "where", "size", "licence", "input", "download")
    for asset in assets.ASSETS.values():
        where, size = _whereabouts(asset)
        cells = asset.name, where, size, asset.license, asset.convention, _download(asset)
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    console = Console()
    console.print(table)
    for convention, meaning in assets.CONVENTIONS.items():
        console.print(f"{convention}: {meaning}", highlight=False, markup=False)


def _whereabouts(asset: Asset) -> tuple[str, str]:
    try:
        file = assets.find(asset.name)
    except AssetError:
        return "here, but wrong: see 'path'", ""
    if file is None:
        return "not here", ""
    return str(file.parent), _megabytes(file.stat().st_size)


def _download(asset: Asset) -> str:
    if not asset.sources:
        return "no"
    size = next((f", {_megabytes(source.size)}" for source in asset.sources if source.size), "")
    # Eight digits find damage, but someone could make another file that begins the same way.
    hashes = "" if all(source.whole_hash for source in asset.sources) else ", hash known in part"
    return f"yes{size}{hashes}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size < 1e6 else f"{size / 1e6:.0f} MB"
