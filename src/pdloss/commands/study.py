"""``pdloss study``: a forced-choice study from design to preference table."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pdloss.commands.progress import Bar
from pdloss.errors import SpecError, UsageError
from pdloss.files import output, write_atomically
from pdloss.files.options import OverwriteOptions
from pdloss.specs import suggestion
from pdloss.study.folder import MOST_LINKS, StudyFolder
from pdloss.study.planning.power import power_table
from pdloss.study.planning.protocol import StudyProtocol
from pdloss.study.records import StudyDesign
from pdloss.study.serving.access import RETURN_DAYS, Access, KnownBy
from pdloss.study.serving.guard import RateLimit
from pdloss.study.serving.proxy import Proxy, proxy_config
from pdloss.tables import terminal
from pdloss.tables.table import Table

MOST_DAYS = 36_500
"""In which somebody may come back."""

_VERBS = {
    "design": "choose crops, pairs, sides and order, and write them down",
    "serve": "put the study on the web, and keep every answer",
    "export": "write answers and raters to files",
    "analyse": "make the preference table, scores and one page",
    "simulate": "let made-up raters take part, for a dry run",
}


@dataclass(frozen=True, kw_only=True)
class DesignOptions:
    """Designs a study of restored pictures: the same crop of two methods side by side, and people choose."""

    methods: tyro.conf.Positional[tuple[str, ...]]
    """Scored folders of runs and of `pdloss score --out`, or METHOD=DIR: a name and a folder of restored pictures."""
    out: Path
    """Folder of the new study."""
    target: Path | None = None
    """Folder of what the pictures should be; by default that of the scored folders."""
    set: str | None = None
    """Which scored set; by default, of those in common, the one written last."""
    protocol: Annotated[StudyProtocol, tyro.conf.arg(name="")]


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Serves a study's page, and the researcher's own page behind a secret, until stopped."""

    study: tyro.conf.Positional[Path]
    """Folder of the study."""
    host: str = "127.0.0.1"
    """Address to listen at; 0.0.0.0 for every one of this machine."""
    port: int = 8000
    """Port to listen at; 0 for any free one."""
    database: str | None = None
    """Such as postgresql://user:password@host/name; by default study.sqlite in the folder."""
    access: Access = "open"
    """Who may take part: whoever has the address, holders of links of their own, or the first to come."""
    raters: int | None = None
    """How many links there are, or how many may finish where access is capped; by default as many as planned."""
    known_by: KnownBy = "id"
    """How participants of Prolific or Mechanical Turk are known whose browser forgot them: by their id, which lets in
    whoever else knows it, or by the whole link that they came by."""
    return_days: float = RETURN_DAYS
    """Days after their last answer in which raters can go on where they were."""
    url: str | None = None
    """Address under which raters reach the server, for their links."""
    rate: float = 50.0
    """Requests per second from one address; ten times as many at once."""
    trusted_proxy: tuple[str, ...] = ()
    """Address or network of a reverse proxy, whose X-Forwarded-For is believed; nobody else's is."""
    proxy_config: Proxy | None = None
    """Print the configuration of a reverse proxy for this server and this --url, and serve nothing."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions(OverwriteOptions):
    """Writes answers.csv, answers.json and raters.csv, whether the server is running or not."""

    study: tyro.conf.Positional[Path]
    """Folder of the study."""
    out: Path | None = None
    """Folder for the files; by default the study's."""
    database: str | None = None
    """As given to the server."""


def main(argv: list[str]) -> int:
    """Runs ``pdloss study design | serve | export | analyse | simulate`` and returns the exit status.

    Raises:
        UserError: If the study, its pictures or its answers cannot be used.
    """
    if not argv or argv[0] in ("-h", "--help"):
        verbs = "\n".join(f"  {verb:<10}{what}" for verb, what in _VERBS.items())
        print(f"usage: pdloss study VERB [options]\n\n{verbs}\n\n`pdloss study VERB --help` lists the options of one.")
        return 0 if argv else 2
    if argv[0] not in _VERBS:
        raise UsageError(f"unknown verb {argv[0]!r} of pdloss study{suggestion(argv[0], _VERBS)}")
    return _verb(argv[0])(argv[1:])


def _verb(name: str) -> Callable[[list[str]], int]:
    if name == "analyse":
        from pdloss.study.analysis.command import main as analyse

        return analyse
    if name == "simulate":
        from pdloss.study.simulation.command import main as simulate

        return simulate
    return {"design": _design, "serve": _serve, "export": _export}[name]


def _design(argv: list[str]) -> int:
    options = tyro.cli(DesignOptions, args=argv, prog="pdloss study design", config=(tyro.conf.OmitArgPrefixes,))
    from pdloss.study.planning.design import design
    from pdloss.study.planning.methods import compared

    pictures = compared(options.methods, options.target, options.set)
    with Bar("cutting crops") as bar:
        bar.begin("cutting crops", 0, 1)
        made = design(pictures.methods, pictures.target, options.out, options.protocol, bar.update)
    kinds = {kind: sum(q.kind == kind for q in made.questions) for kind in ("pair", "catch", "repeat", "identical")}
    print(f"{len(made.methods)} methods, {len(made.images)} crops of {made.crop} pixels, seed {made.seed}")
    print(", ".join(f"{count} {kind}" for kind, count in kinds.items()) + " questions")
    terminal.show([_power(made)])
    print(options.out)
    return 0


def _power(made: StudyDesign) -> Table:
    pairs = len(made.methods) * (len(made.methods) - 1) // 2
    answers = made.raters * made.questions_per_rater / pairs
    rows = tuple(
        (
            f"{100 * need.share:.0f}:{100 - 100 * need.share:.0f}",
            *(str(count) for count in (need.answers, need.raters, need.raters_of_all)),
        )
        for need in power_table(pairs, made.questions_per_rater)
    )
    title = (
        f"Raters needed to see a preference (80 % power, 5 %); {made.raters} are planned: {answers:.0f} answers to a "
        "pair"
    )
    return Table(title, ("preference", "answers to a pair", "raters", f"raters, for all {pairs} pairs at once"), rows)


def _serve(argv: list[str]) -> int:
    options = tyro.cli(ServeOptions, args=argv, prog="pdloss study serve")
    from pdloss.study.serving import reading
    from pdloss.study.serving.api import Api
    from pdloss.study.serving.server import serve

    _check_served(options)
    if options.proxy_config:
        print(proxy_config(options.proxy_config, options.host, options.port, options.url), end="")
        return 0
    study = StudyFolder(options.study)
    study.verify()
    store = reading.open_store(study, options.database)
    api = Api(study, store, options.access, options.raters, options.known_by, options.return_days)

    def say(address: str) -> None:
        print(f"listening at {address}")
        if options.host in ("0.0.0.0", "::") and not options.url:
            print("others reach it under a name or address of this machine: give that with --url, for links that work")
        base = f"{options.url.rstrip('/')}/" if options.url else address
        if options.access == "tokens":
            links = "".join(f"{base}#rater={api.secrets.link(number)}\n" for number in range(api.cap))
            write_atomically(options.study / "links.txt", lambda file: file.write_text(links), private=True)
            print(f"raters: {api.cap} links, each for one of them, in {options.study / 'links.txt'}")
        else:
            print(f"raters: {base}")
        print(f"you:    {base}admin#{api.secrets.admin}")
        sys.stdout.flush()

    limit = RateLimit(options.rate, 10 * options.rate)
    try:
        serve(api, options.host, options.port, say, limit, options.trusted_proxy)
    finally:
        store.close()
    return 0


def _check_served(options: ServeOptions) -> None:
    if options.raters is not None and not 1 <= options.raters <= MOST_LINKS:
        raise SpecError(f"--raters {options.raters}: expected 1 to {MOST_LINKS}")
    if options.raters is not None and options.access == "open":
        raise SpecError("--raters limits nothing where everybody is let in; give --access capped or --access tokens")
    if not 0 < options.return_days <= MOST_DAYS:
        raise SpecError(f"--return-days {options.return_days:g}: expected more than 0, and {MOST_DAYS} at most")
    if not options.rate > 0:
        raise SpecError(f"--rate {options.rate:g}: it must be above 0 requests per second")
    if not 0 <= options.port <= 65535:
        raise SpecError(f"--port {options.port}: expected 1 to 65535, or 0 for any free one")
    if options.url is not None and not options.url.startswith(("http://", "https://")):
        raise SpecError(f"--url {options.url}: expected the whole address, such as https://{options.url}")


def _export(argv: list[str]) -> int:
    options = tyro.cli(ExportOptions, args=argv, prog="pdloss study export")
    from pdloss.study.serving import reading
    from pdloss.study.serving.api import Api
    from pdloss.study.serving.overview import raters_table

    study = StudyFolder(options.study)
    store = reading.open_kept(study, options.database)
    try:
        api, out = Api(study, store), options.out or options.study
        with output(*(out / name for name in reading.EXPORTED), overwrite=options.overwrite):
            written = reading.export(store, study, out, raters_table(api))
        for path in written:
            print(path)
    finally:
        store.close()
    return 0
