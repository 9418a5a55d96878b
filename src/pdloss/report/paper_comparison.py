"""Our numbers beside the paper's, with what differs between the two said in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from pdloss.comparison.losses import brief, readable
from pdloss.errors import RunError
from pdloss.records import RunRecord
from pdloss.report.paper import CERTAINTY, LABELS, PaperTable, paper_tables
from pdloss.report.sources import Comparison
from pdloss.tables.numerals import UNKNOWN, number

_DEGRADATIONS = {
    "denoise": "Gaussian noise of about 100/255, clipped (inferred: the input's printed 10.49 dB fits no other)",
    "sr": "bicubic reduction by 4 (inferred: the printed 28.76 dB fits no other factor)",
    "deblur": "hand-shake kernels of an extent of about 15 pixels, with a little noise (inferred, not certain)",
    "jpeg": "JPEG of quality 20 with halved chroma (inferred: the input's printed 29.54 dB and 0.953 fit it best)",
}
_NETWORKS = {"denoise": "SRN", "sr": "EDSR", "deblur": "DsDeblur", "jpeg": "SRN"}
_METRICS = {
    "lpips": "LPIPS: which network the paper used is not printed; version 0.1 with AlexNet is inferred.",
    "niqe": "NIQE: the paper used MATLAB's; the undistorted test images of DIV2K themselves have 3.166.",
    "fid": "FID: the paper used pytorch-fid; whether on whole images or crops is not known, and FID grows as the "
    "number of images shrinks.",
}


@dataclass(frozen=True)
class ComparedCell:
    """A score as text, and how far it is from that of the pixels' loss alone."""

    text: str = ""
    change: str = ""


@dataclass(frozen=True)
class ComparedRow:
    """One row of ours or of the paper's."""

    source: str
    loss: str
    weight: str
    remark: str
    """How sure the weight is."""
    cells: tuple[ComparedCell, ...]


@dataclass(frozen=True)
class ComparedTable:
    """A table of the paper with our rows in it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[ComparedRow, ...]


def paper_comparison(comparison: Comparison) -> tuple[list[ComparedTable], list[str]]:
    """Returns the paper's tables of the runs' task with our rows under them, and what differs in protocol.

    Raises:
        RunError: If the runs are of several tasks, or of one that the paper has no table of.
    """
    tasks = sorted({record.task for record in _records(comparison)})
    known = paper_tables(tasks[0]) if len(tasks) == 1 else ()
    if not known:
        what = " and ".join(tasks) or "pictures of which no training is known"
        raise RunError(f"the paper has no table of {what}, only of denoise, sr, deblur and jpeg; leave --paper out")
    return [_with_our_rows(table, comparison, tasks[0]) for table in known], protocol_differences(comparison)


def protocol_differences(comparison: Comparison) -> list[str]:
    """Returns in sentences what keeps our numbers and the paper's from being compared one to one."""
    records = _records(comparison)
    task = records[0].task
    said = [
        f"Test images: the paper's are the 100 of DIV2K's validation set; ours are {len(comparison.images)} of "
        f"{comparison.set}. Scores do not carry over from one set to another; the changes between losses may.",
        f"Degradation: the paper's is {_DEGRADATIONS[task]}; ours is {comparison.degradation}.",
        f"Training images: the paper's are the 800 of DIV2K; ours are {_each(f'{r.images:,}' for r in records)}.",
        f"Network: the paper's is {_NETWORKS[task]}; ours is {_each(r.network for r in records)}.",
        "Length of training: the paper's is not known; ours is "
        f"{_each(f'{r.steps:,} steps of {r.batch} crops of {r.crop} pixels' for r in records)}.",
    ]
    if features := _features(comparison):
        said.append(
            "Features: the paper compares those of VGG16 after a convolution of its fourth block (most likely conv4_3 "
            "after the ReLU), in an input convention that is not known; a weight means nothing for other features. "
            f"Ours are {features}."
        )
    if unknown := [run.name for run in comparison.runs if run.record is None]:
        said.append(f"How {', '.join(unknown)} came about is known from its authors alone, if at all.")
    return said + [text for key, text in _METRICS.items() if _ours(comparison, key)]


def _records(comparison: Comparison) -> list[RunRecord]:
    return [run.record for run in comparison.runs if run.record is not None]


def _features(comparison: Comparison) -> str:
    terms = (term for run in comparison.runs for term in readable(run.loss) or ())
    found = ((dict(term.options).get("features"), term.name) for term in terms)
    return _each(f"{features} ({name})" for features, name in found if features is not None)


def _with_our_rows(table: PaperTable, comparison: Comparison, task: str) -> ComparedTable:
    plain = next((row.scores for row in paper_tables(task)[0].rows
                  if row.loss == "no-perceptual"), {})  # fmt: skip
    rows = [
        ComparedRow(
            "paper",
            row.loss,
            row.weight,
            CERTAINTY[row.certainty] if row.certainty != "printed" else "",
            tuple(_cell(key, row.scores.get(key), _reference(row.loss, plain.get(key))) for key in table.columns),
        )
        for row in table.rows
    ]
    inputs = tuple(_cell(key, _input(comparison, key)) for key in table.columns)
    rows.append(ComparedRow("ours", "input", "", "", inputs))
    losses = [run.loss for run in comparison.runs]
    alone = next((i for i, loss in enumerate(losses) if _of_pixels_alone(loss)), None)
    for place in range(len(losses)):
        against = None if alone in (None, place) else alone
        cells = tuple(
            _cell(key, _mean(comparison, key, place), None if against is None else _mean(comparison, key, against))
            for key in table.columns
        )
        rows.append(ComparedRow("ours", _called(comparison, place), "", "", cells))
    return ComparedTable(
        f"Table {table.number}, {table.caption}", tuple(LABELS[key] for key in table.columns), tuple(rows)
    )


def _of_pixels_alone(loss: str | None) -> bool:
    terms = readable(loss) or {}
    return len(terms) == 1 and not any("features" in dict(term.options) for term in terms)


def _called(comparison: Comparison, place: int) -> str:
    """Returns a run's loss; with its name where nobody knows how it was trained."""
    run, losses = comparison.runs[place], [run.loss for run in comparison.runs]
    loss = brief(run.loss, losses)
    return loss if run.record is not None else run.name if loss == UNKNOWN else f"{run.name} ({loss})"


def _reference(loss: str, plain: float | None) -> float | None:
    return None if loss in ("reference", "input", "no-perceptual") else plain


def _cell(key: str, value: float | None, reference: float | None = None) -> ComparedCell:
    if value is None:
        return ComparedCell()
    digits = 2 if key in ("psnr", "fid") else 3
    return ComparedCell(number(value, digits), "" if reference is None else number(value - reference, digits, True))


def _mean(comparison: Comparison, key: str, run: int) -> float | None:
    found = _ours(comparison, key)
    return comparison.means(found)[run] if found else None


def _input(comparison: Comparison, key: str) -> float | None:
    found = _ours(comparison, key)
    return comparison.input_mean(found) if found else None


def _ours(comparison: Comparison, key: str) -> str | None:
    """Returns our metric of the paper's name: the same name, options aside."""
    keys = (*comparison.metrics, *comparison.set_metrics)
    return next((ours for ours in keys if ours.partition("(")[0] == key), None)


def _each(values: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(values))
