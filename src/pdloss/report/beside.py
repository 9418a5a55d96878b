"""Our numbers beside the paper's, with what differs between the two said in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from pdloss.comparison.grouping import terms_of
from pdloss.errors import RunError
from pdloss.report.families import brief
from pdloss.report.paper import CERTAINTY, LABELS, PaperTable, paper_tables
from pdloss.report.scores import number
from pdloss.report.sources import Comparison

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
class BesideCell:
    """A score as text, and how far it is from that of the pixels' loss alone."""

    text: str = ""
    change: str = ""


@dataclass(frozen=True)
class BesideRow:
    """One row of ours or of the paper's."""

    source: str
    loss: str
    weight: str
    remark: str
    """How sure the weight is."""
    cells: tuple[BesideCell, ...]


@dataclass(frozen=True)
class Beside:
    """A table of the paper with our rows in it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[BesideRow, ...]


def beside(comparison: Comparison) -> tuple[list[Beside], list[str]]:
    """Returns the paper's tables of the runs' task with our rows under them, and what differs in protocol.

    Raises:
        RunError: If the runs are of several tasks, or of one that the paper has no table of.
    """
    tasks = sorted({run.record.task for run in comparison.runs})
    known = paper_tables(tasks[0]) if len(tasks) == 1 else ()
    if not known:
        raise RunError(
            f"the paper has no table of {' and '.join(tasks)}, only of denoise, sr, deblur and jpeg; leave --paper out"
        )
    return [_beside(table, comparison) for table in known], protocol_differences(comparison)


def protocol_differences(comparison: Comparison) -> list[str]:
    """Returns in sentences what keeps our numbers and the paper's from being compared one to one."""
    first = comparison.runs[0]
    records = [run.record for run in comparison.runs]
    said = [
        f"Test images: the paper's are the 100 of DIV2K's validation set; ours are {len(comparison.images)} of "
        f"{comparison.set}. Scores do not carry over from one set to another; the changes between losses may.",
        f"Degradation: the paper's is {_DEGRADATIONS[first.record.task]}; ours is {first.scores.degradation}.",
        f"Training images: the paper's are the 800 of DIV2K; ours are {_each(f'{r.images:,}' for r in records)}.",
        f"Network: the paper's is {_NETWORKS[first.record.task]}; ours is {_each(r.network for r in records)}.",
        "Length of training: the paper's is not known; ours is "
        f"{_each(f'{r.steps:,} steps of {r.batch} crops of {r.crop} pixels' for r in records)}.",
    ]
    if features := _features(comparison):
        said.append(
            "Features: the paper compares those of VGG16 after a convolution of its fourth block (most likely conv4_3 "
            "after the ReLU), in an input convention that is not known; a weight means nothing for other features. "
            f"Ours are {features}."
        )
    return said + [text for key, text in _METRICS.items() if _ours(comparison, key)]


def _features(comparison: Comparison) -> str:
    terms = (term for run in comparison.runs for term in terms_of(run.record.loss) if "features='" in term)
    return _each(f"{term.partition('features=')[2].split(chr(39))[1]} ({term.partition('(')[0]})" for term in terms)


def _beside(table: PaperTable, comparison: Comparison) -> Beside:
    plain = next((row.scores for row in paper_tables(comparison.runs[0].record.task)[0].rows
                  if row.loss == "no-perceptual"), {})  # fmt: skip
    rows = [
        BesideRow(
            "paper",
            row.loss,
            row.weight,
            CERTAINTY[row.certainty] if row.certainty != "printed" else "",
            tuple(_cell(key, row.scores.get(key), _reference(row.loss, plain.get(key))) for key in table.columns),
        )
        for row in table.rows
    ]
    inputs = tuple(_cell(key, _input(comparison, key)) for key in table.columns)
    rows.append(BesideRow("ours", "input", "", "", inputs))
    losses = [run.record.loss for run in comparison.runs]
    alone = next((i for i, loss in enumerate(losses) if len(terms_of(loss)) == 1 and "features=" not in loss), None)
    for place, loss in enumerate(losses):
        against = None if alone in (None, place) else alone
        cells = tuple(
            _cell(key, _mean(comparison, key, place), None if against is None else _mean(comparison, key, against))
            for key in table.columns
        )
        rows.append(BesideRow("ours", brief(loss, losses), "", "", cells))
    return Beside(f"Table {table.number}, {table.caption}", tuple(LABELS[key] for key in table.columns), tuple(rows))


def _reference(loss: str, plain: float | None) -> float | None:
    return None if loss in ("reference", "input", "no-perceptual") else plain


def _cell(key: str, value: float | None, reference: float | None = None) -> BesideCell:
    if value is None:
        return BesideCell()
    digits = 2 if key in ("psnr", "fid") else 3
    return BesideCell(number(value, digits), "" if reference is None else number(value - reference, digits, True))


def _mean(comparison: Comparison, key: str, run: int) -> float | None:
    found = _ours(comparison, key)
    return comparison.means(found)[run] if found else None


def _input(comparison: Comparison, key: str) -> float | None:
    found = _ours(comparison, key)
    if found is None:
        return None
    if found in comparison.metrics:
        values = comparison.degraded(found)
        return None if values is None else float(values.mean())
    score = comparison.of_set(None, found)
    return None if score is None else score.value


def _ours(comparison: Comparison, key: str) -> str | None:
    """Returns our metric of the paper's name: the same name, options aside."""
    keys = (*comparison.metrics, *comparison.set_metrics)
    return next((ours for ours in keys if ours.partition("(")[0] == key), None)


def _each(values: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(values))
