"""Tables III and V: the paper's preferences analysed, and the design of the same study of our own runs."""

import subprocess
from pathlib import Path

import numpy as np
from scipy.stats import chi2

from pdloss.report.paper import ANSWERS, PREFERENCES
from pdloss.statistics.choice_models import bradley_terry
from pdloss.sweeps import work
from pdloss.sweeps.reproduction import JUDGED
from pdloss.tables.numerals import DASH, number, p_text
from pdloss.tables.table import Cell, Table


def preference_table(name: str) -> Table:
    """Returns the paper's shares with Bradley-Terry scores, and whether one number a method explains them."""
    methods, shares = PREFERENCES[JUDGED[name][0]]
    fit = bradley_terry(np.array(shares) * ANSWERS, names=methods)
    rows: list[tuple[str | Cell, ...]] = [
        (
            method,
            *(DASH if i == j else f"{share:.2f}" for j, share in enumerate(shares[i])),
            number(float(fit.scores[i]), 3, sign=True),
            f"{fit.covariance[i, i] ** 0.5:.3f}",
        )
        for i, method in enumerate(methods)
    ]
    chance = p_text(float(chi2.sf(fit.deviance, fit.freedom)))
    return Table(
        f"Table {JUDGED[name][0]} of the paper: how often the row was chosen over the column",
        ("method", *methods, "score", "error"),
        tuple(rows),
        remarks=(
            f"Scores of a Bradley-Terry model of {ANSWERS} answers to each pair, with their sum at zero. The answers "
            "of one rater, and those on one image, go together: true errors are larger.",
            f"Deviance {fit.deviance:.1f} at {fit.freedom} degrees of freedom, p = {chance}: above 0.05, one number "
            "for each method explains the table.",
        ),
    )


def designed_study(name: str, folder: Path, out: Path) -> tuple[int, str]:
    """Designs the study of our runs, and returns the exit status and what to say.

    Args:
        name: ``table3`` or ``table5``.
        folder: Where `pdloss reproduce` keeps its runs.
        out: Folder of the new study.
    """
    _, table, task, runs = JUDGED[name]
    places = [folder / task / run for run in runs]
    if missing := [place for place in places if not (place / "scores").is_dir()]:
        said = f"no study is designed: {', '.join(place.name for place in missing)} not scored yet"
        return 0, f"{said}; pdloss reproduce {table} --out {folder} makes these runs"
    if out.exists():
        return 0, f"the study is there: pdloss study serve {out}"
    asked = ["study", "design", *map(str, places), "--out", str(out)]
    ended = subprocess.run([*work.PROGRAM, *asked], check=False)
    return ended.returncode, f"pdloss study serve {out}" if ended.returncode == 0 else "no study is designed"
