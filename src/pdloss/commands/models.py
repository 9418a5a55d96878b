"""``pdloss models``: lists the networks that ship, shows their cards, measures and packs them."""

import argparse
import sys
from functools import partial
from pathlib import Path

from pdloss.commands.progress import Bar
from pdloss.errors import RunError
from pdloss.models import shelf


def main(argv: list[str]) -> int:
    """Runs ``pdloss models [list] | card NAME | path NAME | evaluate NAME... | pack RUN`` and returns the exit status.

    Raises:
        UserError: If there is no such model, or it cannot be measured or packed.
    """
    arguments = _parser().parse_args(argv)
    match arguments.verb:
        case "card":
            sys.stdout.write(_card(arguments.name))
        case "path":
            sys.stdout.write(f"{shelf.named(arguments.name)}\n")
        case "evaluate":
            _evaluate(arguments)
        case "pack":
            from pdloss.models.packing import pack

            file = pack(arguments.run, arguments.name, arguments.out, data=arguments.data, licence=arguments.licence)
            sys.stdout.write(f"{file}\n")
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
    card.add_argument("name", metavar="NAME", help="a name that 'list' shows")
    path = verbs.add_parser("path", help="print where a model's file is, and nothing else")
    path.add_argument("name", metavar="NAME", help="a name that 'list' shows")
    measure = verbs.add_parser(
        "evaluate",
        help="measure models, and write their scores and cards",
        description="Measures models on folders of clean photographs, each degraded as its task's protocols say, and "
        "writes of each NAME.json, NAME.md (its card) and NAME.jpg; what is measured already is kept.",
    )
    measure.add_argument("models", nargs="+", metavar="MODEL", help="a name that 'list' shows, or a file of 'pack'")
    measure.add_argument("--data", nargs="+", type=Path, required=True, help="folders of clean photographs")
    measure.add_argument("--out", type=Path, required=True, help="folder to write to")
    measure.add_argument("--metrics", help="separated by commas; psnr,ms_ssim,lpips,grid unless given")
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
    return parser


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
    shelf.named(name)
    card = shelf.SHELF / f"{name}.md"
    if not card.is_file():
        raise RunError(f"{name} has no card yet: pdloss models evaluate {name} writes one")
    return card.read_text(encoding="utf-8")


def _evaluate(arguments: argparse.Namespace) -> None:
    from pdloss.models.evaluating import evaluate_model
    from pdloss.models.packing import model_of
    from pdloss.models.protocols import METRICS

    files = {model_of(file).name: file for file in map(shelf.place_of, arguments.models)}
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
