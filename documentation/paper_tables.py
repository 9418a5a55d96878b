"""The paper's tables as they came out here: ``python -m documentation.paper_tables table2 --out paper``.

Takes what `pdloss reproduce` wrote about a table into experiments/paper/TABLE: a selection of its files, without this
machine's paths, and crops of one run of each loss. Then writes docs/paper_tables.md out of all that lies there; without
a table, that alone. The verdict on a table is written by hand, in experiments/paper/TABLE/verdict.md.
"""

import csv
import io
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro
from PIL import Image

from documentation.tutorials import ROOT
from pdloss.errors import UserError
from pdloss.files import write_bytes, write_text
from pdloss.report import crops
from pdloss.report.crop_panels import crop_panel, save_panel
from pdloss.report.sources import Comparison, read_comparison
from pdloss.sweeps.account import RUNS
from pdloss.sweeps.overview import duration
from pdloss.sweeps.plan import KEPT
from pdloss.sweeps.reproduction import TRAINED, shown_name, table_number
from pdloss.tables.markdown import escaped

TAKEN = ("result.md", "table-1.csv", "scores.csv", "matched.csv")
"""Of what was written about each set; and its planes."""
PLANES = ("figures/plane-lpips.svg", "figures/plane-dists.svg")
PICTURES = 2
"""Of the images that the report shows crops of, as many are taken, of the first set."""
PICTURE_BYTES = 120_000
"""Of one picture at most."""
MOST = 600_000
"""Bytes of a table, so that all five stay below three megabytes."""

INTRODUCTION = """\
# The paper's tables, reproduced

Rows of the paper, and rows of the same loss trained here: small networks, short trainings, two processor cores. The
numbers cannot be the paper's; what may carry over is the order of the losses, and how far each moves from the pixels'
loss alone. Behind our scores stand 95 % intervals over images and, where there are several seeds, the spread over them.
How it is done, and how to do it with more time: [Many runs](sweeps.md#the-papers-tables).

Written by `python -m documentation.paper_tables` from the committed files below
[experiments/paper](../experiments/paper/README.md); the verdicts are written by hand.\
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which table to take, and from where; without one, the page is written anew."""

    table: tyro.conf.Positional[str | None] = None
    """Such as table2, finished by `pdloss reproduce`."""
    out: Path = Path("paper")
    """Its folder, as `pdloss reproduce --out` was told."""


def main(options: Options) -> int:
    """Takes the table, writes the page, prints both and returns 0.

    Raises:
        SystemExit: If there is no such result, or a path of this machine would be left in what is taken.
    """
    committed, page = ROOT / "experiments" / "paper", ROOT / "docs" / "paper_tables.md"
    try:
        if options.table is not None:
            print(take(options.out, options.table, committed))
    except UserError as error:
        sys.exit(f"error: {error}")
    write_text(page, page_text(committed))
    print(page)
    return 0


def take(out: Path, table: str, committed: Path) -> Path:
    """Returns the folder of what is to be committed about a table, written out of what a sweep wrote about it.

    Args:
        out: Where `pdloss reproduce` keeps runs and tables.
        table: Which.
        committed: Where the tables' folders are.

    Raises:
        UserError: If there is no such result, a path of this machine is left in a text, or it is too large.
    """
    source, folder = out / table, committed / table
    if not (source / RUNS).is_file():
        raise UserError(f"{source} holds no result; pdloss reproduce {table} --out {out} --report writes it")
    plan = json.loads((source / KEPT).read_text(encoding="utf-8"))
    names = _names(plan, out)
    texts = {name: (source / name).read_text(encoding="utf-8") for name in (KEPT, RUNS)}
    sets = [Path(place).name for place in plan["evaluate"]["data"]]
    for name in sets:
        for taken in (*TAKEN, *PLANES):
            if (file := source / name / taken).is_file():
                texts[f"{name}/{file.name}"] = _on_paper(file.read_text(encoding="utf-8"))
    texts = {name: without_paths(text, names) for name, text in texts.items()}
    for name, text in texts.items():
        if left := re.search(r"(?<![\w.:/<-])/(?:[\w.-]+/)+[\w.-]*", text):
            raise UserError(f"{source / name} names {left[0]}, which is of this machine alone")
    for name, text in texts.items():
        write_text(folder / name, text)
    _draw_crops(Path(plan["out"]), _rows(folder / RUNS), sets[0], folder / sets[0])
    if (size := sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())) > MOST:
        raise UserError(f"{folder} has {size:,} bytes, more than {MOST:,}: take less of it")
    return folder


def _names(plan: Mapping[str, Any], out: Path) -> dict[str, str]:
    """Returns what places of this machine are called in what is committed, the longest first."""
    names = {str(place): Path(place).name for place in plan["evaluate"]["data"]}
    names |= {str(plan["train"]["data"]): "PHOTOS"}
    for place in (out, Path(plan["out"]).parent):
        names |= {str(place): "paper", str(place.resolve()): "paper"}
    return dict(sorted(names.items(), key=lambda entry: -len(entry[0])))


def without_paths(text: str, names: Mapping[str, str]) -> str:
    """Returns a text with places of this machine called by their names.

    Example:
        >>> without_paths("--data /home/me/photos --out /tmp/p/l1", {"/home/me/photos": "PHOTOS", "/tmp/p": "p"})
        '--data PHOTOS --out p/l1'
    """
    for place, name in names.items():
        text = re.sub(rf"(?<![\w./-]){re.escape(place)}(?![\w.-])", name, text)
    return text


def _on_paper(text: str) -> str:
    """Returns a drawing on white, since pages are dark for some; other texts as they are."""
    return re.sub(r"(<svg\b[^>]*>)", r'\1<rect width="100%" height="100%" fill="#fff"/>', text, count=1)


def _draw_crops(runs: Path, rows: Sequence[Mapping[str, str]], name: str, folder: Path) -> None:
    """Draws where the runs differ most, of one run of each loss: that of the lowest LPIPS."""
    for old in folder.glob("crops-*.jpg"):
        old.unlink()
    done = [row for row in rows if row["kind"] == "run" and row["state"] == "done"]
    best = best_of_each(read_comparison([runs / row["run"] for row in done], name), done)
    comparison = read_comparison([runs / run for run in best], name)
    with tempfile.TemporaryDirectory() as temporary:
        for strip in crops.strips(comparison)[0][:PICTURES]:
            tiles, side = crop_panel(comparison, strip.image, strip.window), (strip.window.height, strip.window.width)
            tiles = [replace(tile, label=shown_name(tile.label)) for tile in tiles]
            drawn = save_panel(tiles, Path(temporary, "crops"), side=side, columns=5, overwrite=True)[0]
            pixels = small_jpeg(Image.open(drawn))
            write_bytes(folder / f"crops-{comparison.called[strip.image]}.jpg", pixels)


def small_jpeg(picture: Image.Image, most: int = PICTURE_BYTES) -> bytes:
    """Returns a picture as JPEG of at most so many bytes, as good as that allows; at quality 50 it may have more."""
    for quality in (92, 86, 80, 70, 60, 50):
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= most:
            break
    return buffer.getvalue()


def best_of_each(comparison: Comparison, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Returns of each loss the run of the lowest LPIPS, in the plan's order; the first where it was not measured."""
    lpips = comparison.means("lpips") if "lpips" in comparison.metrics else [0.0] * len(rows)
    found: dict[str, tuple[float, str]] = {}
    for row, score in zip(rows, lpips, strict=True):
        value = float("inf") if score is None else score
        if row["row"] not in found or value < found[row["row"]][0]:
            found[row["row"]] = value, row["run"]
    return [run for _, run in found.values()]


def page_text(committed: Path) -> str:
    """Returns the page of all tables that are committed."""
    tables = [table for table in TRAINED if (committed / table / RUNS).is_file()]
    if not tables:
        return f"{INTRODUCTION}\n\nNone is committed yet.\n"
    heads = "| table | network | start | each run | runs | trained for | on |\n|---|---|---:|---:|---:|---:|---|"
    costs = "\n".join([heads, *(_cost(table, committed / table) for table in tables)])
    return "\n\n".join([INTRODUCTION, costs, *(_section(committed / table) for table in tables)]) + "\n"


def _cost(table: str, folder: Path) -> str:
    """Returns a line of what was trained."""
    plan = json.loads((folder / KEPT).read_text(encoding="utf-8"))
    rows = _rows(folder / RUNS)
    done = [row for row in rows if row["kind"] == "run" and row["state"] == "done"]
    several = {row["row"] for row in done if row["run"].endswith("-seed1")}
    made = {f"{row['device']}, {row['threads']} thread{'s' * (row['threads'] != '1')}" for row in done}
    whole = duration(60 * sum(float(row["minutes"] or 0) for row in rows))
    seeds = f", three seeds of {', '.join(sorted(several))}" if several else ""
    lacking = f" of {sum(row['kind'] == 'run' for row in rows)}" * (len(done) < sum(r["kind"] == "run" for r in rows))
    steps = (f"{plan[part]['steps']:,} steps" for part in ("start", "train"))
    cells = (table_number(table), f"`{plan['train']['network']}`", *steps, f"{len(done)}{lacking}{seeds}", whole)
    return f"| {' | '.join(cells)} | {' or '.join(sorted(made))} |"


def _section(folder: Path) -> str:
    """Returns what the page says of one table: verdict, the paper's table with ours, planes, crops, what differs."""
    plan = json.loads((folder / KEPT).read_text(encoding="utf-8"))
    sets = [name for place in plan["evaluate"]["data"] if (folder / (name := Path(place).name) / "result.md").is_file()]
    place = f"../experiments/paper/{folder.name}"
    title, *lines = _result(folder, sets[0])[1].splitlines()
    parts = [f"## {title.strip('*')}"]
    if (verdict := folder / "verdict.md").is_file():
        parts.append(verdict.read_text(encoding="utf-8").strip())
    whole = ", ".join(f"[on {name}]({place}/{name}/result.md)" for name in sets)
    parts.append(f"All of it: {whole}; [every run, its command and its cost]({place}/{RUNS}).")
    for name in sets:
        parts += [f"### {name}", "\n".join(_first_table(lines)) if name == sets[0] else ""]
        parts += [_listed(folder, name, "verdict"), _result(folder, name)[0], _pictures(folder / name, place, name)]
    parts += ["### What differs from the paper", _listed(folder, sets[0], "differs")]
    return "\n\n".join(filter(None, parts))


def _result(folder: Path, name: str) -> tuple[str, str]:
    """Returns what the result says in words, and what follows from the paper's table on."""
    said, _, rest = (folder / name / "result.md").read_text(encoding="utf-8").partition("**Table ")
    return said.partition("\n")[2].strip(), f"**Table {rest}"


def _first_table(lines: Sequence[str]) -> list[str]:
    """Returns the lines of the first table of Markdown."""
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    last = next((i for i in range(first, len(lines)) if not lines[i].startswith("|")), len(lines))
    return list(lines[first:last])


def _listed(folder: Path, name: str, kind: str) -> str:
    """Returns sentences beside the table, of one kind, as a list."""
    rows = _rows(folder / name / "table-1.csv")
    return "\n".join(f"- {escaped(row['loss'])}" for row in rows if row["source"] == kind)


def _pictures(folder: Path, place: str, name: str) -> str:
    planes = [file for plane in PLANES if (file := folder / Path(plane).name).is_file()]
    shown = [f"![{file.stem.partition('-')[2].upper()} against PSNR, a curve for each loss]({place}/{name}/{file.name})"
             for file in planes]  # fmt: skip
    shown += [
        f"![Crops of {file.stem.partition('-')[2]}: input, the run of lowest LPIPS of each loss, target]"
        f"({place}/{name}/{file.name})"
        for file in sorted(folder.glob("crops-*.jpg"))
    ]
    return "\n\n".join(shown)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
