"""The paper's tables as plans that ship with the program: one file a table, with a section for each budget."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pdloss.specs import check_known
from pdloss.sweeps.plan import Plan, plan_from
from pdloss.training.configuration import TrainConfig
from pdloss.training.recipes import BUDGETS

TRAINED = ("table2", "table4", "table6", "table7", "table8")
"""The tables whose rows are trainings."""

JUDGED = {
    "table3": ("III", "table2", "denoise", ("no-perceptual", "L1-w0.005", "CTXDP-w0.1", "CTXL2-w0.1", "PDL-w0.01")),
    "table5": (
        "V",
        "table4",
        "sr",
        ("no-perceptual", "L1-share0.85", "CTXDP-share0.85", "CTXL2-share0.85", "SRGAN", "PDL-share0.85"),
    ),
}
"""Of each: the paper's number, the table whose runs are judged, their folder, and which."""

RECOMMENDED = "recommended"
"""Stands in a shipped plan for the loss that `pdloss train` takes unless told otherwise: a row that the paper lacks."""

METRICS = ("psnr", "ms_ssim", "lpips", "niqe", "kid768", "fid768")
"""The paper's, of which FID and KID are those of 768 dimensions."""

JUDGES = ("dists", "lpips_vgg")
"""They look at other features than LPIPS. Both run VGG16, and so cost more than all others together."""

TEST_SETS = ("kodak24", "set14")


def paper_plan(table: str, budget: str, data: str, out: Path, tests: Sequence[Path]) -> Plan:
    """Returns the plan of one of the paper's tables: its losses and weights, in one of the budgets.

    Tables of one task share its folder below `out`, and so the start and the runs that they have in common. On a
    processor `JUDGES` see the last test set alone, the smaller one: on both they would take longer than the training.

    Args:
        table: One of `TRAINED`.
        budget: ``cpu``, ``halfhour`` or ``day``.
        data: Folder of training photographs.
        out: Where the folders of tasks are.
        tests: Folders of test photographs.

    Raises:
        SpecError: If there is no such table or budget.
    """
    check_known("budget", budget, BUDGETS)
    shipped = _shipped(table)
    section = shipped[budget]
    values: dict[str, Any] = {
        "out": str(out / section["train"]["task"]),
        "train": section["train"] | {"data": data},
        "start": section["start"],
        "losses": [_resolved(loss) for loss in shipped["losses"]],
        "evaluate": {"data": list(map(str, tests)), "metrics": _metrics(budget, len(tests))},
    }
    return plan_from(values)


def _metrics(budget: str, sets: int) -> str | list[str]:
    paper, all_of_them = ",".join(METRICS), ",".join((*METRICS, *JUDGES))
    return [paper] * (sets - 1) + [all_of_them] if budget == "cpu" and sets > 1 else all_of_them


def shown_name(name: str) -> str:
    """Returns what a row or a run is called where people read it: the default loss without the digits of its text.

    Example:
        >>> shown_name("recommended-fd7d7a"), shown_name("PDL-w0.01")
        ('recommended', 'PDL-w0.01')
    """
    return RECOMMENDED if name.startswith(RECOMMENDED) else name


def table_number(table: str) -> str:
    """Returns what the paper calls a table.

    Example:
        >>> table_number("table2")
        'II'
    """
    return str(_shipped(table)["table"])


def _shipped(table: str) -> dict[str, Any]:
    check_known("table with rows to train", table, TRAINED)
    return tomllib.loads((files("pdloss.sweeps") / "plans" / f"{table}.toml").read_text(encoding="utf-8"))


def _resolved(loss: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the block with the default loss in place of its name.

    A run of another default has another folder, also where only the default of an option differs.
    """
    if loss["loss"] != RECOMMENDED:
        return dict(loss)
    from pdloss import losses  # imports torch, which the help of commands does without

    digest = hashlib.sha256(losses.objective(TrainConfig.loss).in_full().encode()).hexdigest()[:6]
    return {**loss, "name": f"{RECOMMENDED}-{digest}", "loss": TrainConfig.loss}
