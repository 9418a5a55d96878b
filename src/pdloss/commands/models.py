"""``pdloss models``: lists the networks that ship, shows their cards, measures, packs and shares them."""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pdloss.commands.progress import Bar
from pdloss.errors import RunError
from pdloss.limits import RECORD_BYTES, bounded
from pdloss.models import shelf

_ANY = "a name that 'list' shows, a model's folder or file, or owner/name of the Hugging Face Hub"


def main(argv: list[str]) -> int:
    """Runs ``pdloss models [list] | card | path | evaluate | pack | push`` and returns the exit status.

    Raises:
        UserError: If there is no such model, or it cannot be measured, packed or shared.
    """
    arguments = _parser().parse_args(argv)
    match arguments.verb:
        case "card":
            sys.stdout.write(_printable(_card(arguments.name)))
        case "path":
            sys.stdout.write(f"{shelf.named(arguments.name)}\n")
        case "evaluate":
            _evaluate(arguments)
        case "pack":
            from pdloss.models.packing import pack

            file = pack(arguments.run, arguments.name, arguments.out, data=arguments.data, licence=arguments.licence)
            sys.stdout.write(f"{file}\n")
        case "push":
            _push(arguments)
        case _:
            _list()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pdloss models",
        description="Trained networks that come with pdloss: pdloss restore PICTURE --model NAME uses one.",
    )
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("list", help="show every model that ships: task, network, loss, size")
    card = verbs.add_parser("card", help="show a model's card: training, scores, limits, licence")
    card.add_argument("name", metavar="MODEL", help=_ANY)
    path = verbs.add_parser("path", help="print where a model's file is, and nothing else")
    path.add_argument("name", metavar="NAME", help="a name that 'list' shows")
    measure = verbs.add_parser(
        "evaluate",
        help="measure models, and write their scores and cards",
        description="Measures models on folders of clean photographs, each degraded as its task's protocols say, and "
        "writes of each NAME.json, NAME.md (its card) and NAME.jpg; what is measured already is kept.",
    )
    measure.add_argument("models", nargs="+", metavar="MODEL", help=f"{_ANY}, of which 'pack' wrote the weights")
    measure.add_argument("--data", nargs="+", type=Path, required=True, help="folders of clean photographs")
    measure.add_argument("--out", type=Path, required=True, help="folder to write to")
    measure.add_argument("--metrics", help="separated by commas; psnr,ms_ssim,lpips,grid,blocks unless given")
    measure.add_argument(
        "--beside", nargs="+", default=[], metavar="NAME", help="folders in --out of others' results, to compare with"
    )
    measure.add_argument("--device", default="auto", help="such as cpu or cuda")
    pack = verbs.add_parser(
        "pack",
        help="make a model that ships of a finished run",
        description="Writes a run's weights, in half precision, with its records and what it was trained on, to "
        "NAME.safetensors, 2 MB at most; refused if it was trained on a picture of Kodak24, Set5 or Set14.",
    )
    pack.add_argument("run", type=Path, metavar="RUN", help="run folder")
    pack.add_argument("--name", required=True, help="of the model")
    pack.add_argument("--data", required=True, help="what it was trained on, and on whose terms, in words")
    pack.add_argument("--licence", default="Apache-2.0", help="of the weights")
    pack.add_argument("--out", type=Path, default=Path(), help="folder to write to; the present one unless given")
    _add_push(verbs)
    return parser


def _add_push(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    push = verbs.add_parser(
        "push",
        help="share a model as a repository of the Hugging Face Hub",
        description="Writes weights (model.safetensors), config.json and the card README.md to a repository of the "
        "Hugging Face Hub, which is made if there is none; needs pdloss[hub] and a login (hf auth login, or HF_TOKEN). "
        "No name of your files and folders, and nothing of your machine, is in them.",
    )
    push.add_argument("model", metavar="MODEL", help="a name that 'list' shows, a finished run, or a folder of --out")
    push.add_argument("repository", metavar="OWNER/NAME", help="of the repository")
    push.add_argument("--data", help="of a run: what it was trained on, and on whose terms, in words")
    push.add_argument("--licence", help="of a run: that of the weights, as the Hub calls it, such as apache-2.0")
    push.add_argument("--dry-run", action="store_true", help="show the files and the card; nothing is sent")
    push.add_argument("--out", type=Path, help="write the files to this folder, to be read and edited; nothing is sent")
    push.add_argument("--private", action="store_true", help="a repository that is made is seen by nobody else")
    push.add_argument("--overwrite", action="store_true", help="replace what stands there, in a new commit or in --out")


def _list() -> None:
    known = shelf.shipped()
    if not known:
        sys.stdout.write("no model ships with this copy of pdloss\n")
        return
    from pdloss.models.packing import model_of

    for name, file in known.items():
        model = model_of(file)
        size = f"{file.stat().st_size / 1e6:.2f} MB"
        sys.stdout.write(f"{name:<14}{model.last.task:<10}{size}  {model.last.network}  {model.last.loss}\n")
        sys.stdout.write(f"{'':<14}{model.last.degradation}\n")


def _card(name: str) -> str:
    from pdloss.models.scores import card_files
    from pdloss.records import MODEL_CARD, is_model_folder

    place = shelf.place_of(name)
    card = place / MODEL_CARD if is_model_folder(place) else card_files(place.parent, place.stem)[1]
    if not card.is_file() or not (place.is_file() or is_model_folder(place)):
        if place.is_dir():
            raise RunError(
                f"{name} has no card: pdloss models push {name} OWNER/NAME --dry-run shows what it would have"
            )
        raise RunError(f"{name} has no card yet: pdloss models evaluate {name} writes one")
    return bounded(card, RECORD_BYTES, "card").decode(errors="replace")


def _printable(text: str) -> str:
    """Returns text that somebody else may have written, without what steers a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text.expandtabs(4))


def _push(arguments: argparse.Namespace) -> None:
    from pdloss.files import output, write_bytes
    from pdloss.models.addresses import repository_of
    from pdloss.models.sharing import shared
    from pdloss.records import MODEL_FILES

    repository = repository_of(arguments.repository)
    if repository is None:
        raise RunError(f"{arguments.repository} is no repository of the Hub: write owner/name")
    place = shelf.place_of(arguments.model)
    with output(*(arguments.out / name for name in MODEL_FILES if arguments.out), overwrite=arguments.overwrite):
        files = shared(place, repository, data=arguments.data, licence=arguments.licence)
        if arguments.dry_run:
            _show_files(files, f"{'a private' if arguments.private else 'the'} repository {repository}")
        elif arguments.out:
            for name, content in files.items():
                write_bytes(arguments.out / name, content)
                sys.stdout.write(f"{arguments.out / name}\n")
    if not (arguments.dry_run or arguments.out):
        from pdloss.models.hub import upload

        sys.stdout.write(f"{upload(files, repository, arguments.private, arguments.overwrite)}\n")


def _show_files(files: Mapping[str, bytes], where: str) -> None:
    from pdloss.records import MODEL_CARD, MODEL_CONFIG

    sys.stdout.write(f"Nothing is sent. In {where} would stand:\n\n")
    for name, content in files.items():
        sys.stdout.write(f"  {name:<20}{len(content):>14,} bytes\n")
    for name in (MODEL_CONFIG, MODEL_CARD):
        sys.stdout.write(f"\n{name}:\n\n{_printable(files[name].decode(errors='replace'))}")


def _evaluate(arguments: argparse.Namespace) -> None:
    from pdloss.models.evaluating import evaluate_model
    from pdloss.models.packing import model_of
    from pdloss.models.protocols import METRICS
    from pdloss.runs.purposes import weights_file

    files = {model_of(file).name: file for file in map(weights_file, map(shelf.place_of, arguments.models))}
    metrics = [name.strip() for name in arguments.metrics.split(",")] if arguments.metrics else METRICS
    # The l1 flavours first: the others are compared with them.
    for name in sorted(files, key=lambda name: (not name.endswith("-l1"), name)):
        siblings = [f"{name}-l1"] if f"{name}-l1" in files else []
        with Bar(name) as bar:
            evaluate_model(
                files[name],
                arguments.data,
                arguments.out,
                metric_names=metrics,
                beside=[*siblings, *arguments.beside],
                device=arguments.device,
                progress=partial(_show, bar, name),
            )
        sys.stdout.write(f"{arguments.out / f'{name}.md'}\n")


def _show(bar: Bar, name: str, what: str, done: int, total: int) -> None:
    bar.stage(f"{name} on {what}", done, total)
