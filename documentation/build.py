"""Builds the site into a folder: ``python -m documentation.build``; nothing is fetched.

MkDocs with its Material theme, since the pages are Markdown that also reads well where the code lies; its search works
without a server, it has light and dark, and fits a phone. What its gallery plugins would do, running examples, is
`documentation.tutorials`.
"""

import logging
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from documentation.reference import pages
from documentation.tutorials import ROOT, executed, without_pictures

_SHIM = "https://unpkg.com/iframe-worker/shim"
EXTRA = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "experiments/LOG.md")
"""Pages that lie outside docs/ and are part of the site."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the site is built."""

    out: Path = ROOT / "build" / "site"
    """Folder of the site."""
    run: bool = True
    """Run tutorials whose outcome is not kept yet; without, they stand as they are written."""


def main(options: Options) -> int:
    """Builds, and returns 0.

    Raises:
        SystemExit: If MkDocs finds a link that leads nowhere, or has anything else to warn of.
    """
    source = ROOT / "build" / "docs"
    shutil.rmtree(source, ignore_errors=True)
    assemble(source, ROOT / "build" / "tutorials", options.run)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    config = load_config(
        str(ROOT / "documentation" / "mkdocs.yml"), docs_dir=str(source), site_dir=str(options.out), strict=True
    )
    build(config)
    _keep_at_home(options.out)
    print(options.out)
    return 0


def _keep_at_home(site: Path) -> None:
    """Has pages take the one script that the theme would fetch, for its search on file://, from the site itself."""
    for page in site.rglob("*.html"):
        script = Path(os.path.relpath(site / "assets" / "iframe-worker.js", page.parent)).as_posix()
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(_SHIM, script), encoding="utf-8")


def assemble(source: Path, cache: Path, run: bool) -> None:
    """Writes every page of the site as Markdown.

    Args:
        source: Where to.
        cache: Where the outcomes of tutorials are kept.
        run: Whether to run those that have none.
    """
    shutil.copytree(ROOT / "docs", source)
    for page in EXTRA:
        (source / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / page, source / page)
    for page in sorted((ROOT / "docs" / "tutorials").glob("*.md")):
        if not run:
            shown = without_pictures(page.read_text(encoding="utf-8"))
            (source / "tutorials" / page.name).write_text(shown, encoding="utf-8")
        else:
            made = executed(page, cache)
            shutil.copytree(made, source / "tutorials", dirs_exist_ok=True)
            (source / "tutorials" / "page.md").replace(source / "tutorials" / page.name)
    for name, write in pages().items():
        (source / "reference").mkdir(exist_ok=True)
        (source / "reference" / name).write_text(write(), encoding="utf-8")
    for page in source.rglob("*.md"):
        _relink(page, source)
    (source / "README.md").replace(source / "index.md")


def _relink(page: Path, source: Path) -> None:
    """Leads links to files of the repository to where the site has them, as pages or as files."""
    own = page.relative_to(source)
    home = ROOT / own if str(own) in EXTRA else ROOT / "docs" / own
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"\]\(([^()\s:#]+)(#[^()\s]*)?\)", lambda link: _led(link, home, page, source), text)
    page.write_text(text, encoding="utf-8")


def _led(link: re.Match[str], home: Path, page: Path, source: Path) -> str:
    target = (home.parent / link[1]).resolve()
    if not target.is_relative_to(ROOT) or not target.is_file():
        return link[0]  # of this site's own pages, or wrong, which MkDocs says
    inside = target.relative_to(ROOT)
    place = source / (inside.relative_to("docs") if inside.parts[0] == "docs" else inside)
    if not place.exists():  # code, tables: shown as a page of their own
        place = place if place.suffix in {".jpg", ".md", ".png", ".svg"} else place.with_name(f"{place.name}.md")
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix == ".md" and target.suffix != ".md":
            code = target.read_text(encoding="utf-8")
            place.write_text(f"# {target.name}\n\n````{target.suffix[1:] or 'text'}\n{code}\n````\n", encoding="utf-8")
        else:
            shutil.copy(target, place)
    if place.name == "README.md" and place.parent == source:
        place = source / "index.md"
    start = (source / "index.md" if page.name == "README.md" else page).parent
    return f"]({Path(os.path.relpath(place, start)).as_posix()}{link[2] or ''})"


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
