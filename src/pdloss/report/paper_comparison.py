"""Our numbers beside the paper's, with what differs between the two said in words."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pdloss.comparison.losses import readable
from pdloss.errors import RunError
from pdloss.records import RunRecord, read_record
from pdloss.report.paper import CERTAINTY, LABELS, PaperTable, paper_tables
from pdloss.report.paper_order import labels, verdict
from pdloss.report.points import WeightPoint, points_of
from pdloss.report.sources import Comparison
from pdloss.statistics import resample_shares
from pdloss.tables.numerals import between, number, rounded

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
_LACKING = {
    "fid": "FID: ours have none; it takes 2048 dimensions of Inception-v3 (--metrics fid). Scores of fewer dimensions, "
    "such as FID-768, are other numbers, and stand in columns of their own.",
}


_BESIDES = ("fid", "kid", "paired_kid", "dists", "lpips_")
"""How the metrics begin that stand in columns of their own where ours have them: judges that the paper did not ask."""


@dataclass(frozen=True)
class ComparedCell:
    """A score as text, how far it is from that of the pixels' loss alone, and how sure it is."""

    text: str = ""
    change: str = ""
    under: str = ""
    """Of ours: the 95 % interval over images, and the standard deviation over seeds where there are several."""


@dataclass(frozen=True)
class ComparedRow:
    """One row of ours or of the paper's."""

    source: str
    loss: str
    weight: str
    remark: str
    """How sure the weight is; of ours, how it was trained, or why there are no scores."""
    cells: tuple[ComparedCell, ...]


@dataclass(frozen=True)
class ComparedTable:
    """A table of the paper with our rows in it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[ComparedRow, ...]
    verdict: tuple[str, ...] = ()
    """What of the paper's order holds."""


@dataclass(frozen=True)
class Lacking:
    """A row of ours that was meant to be there."""

    loss: str
    why: str


@dataclass(frozen=True)
class PaperRows:
    """Which of the paper's tables to show, and what is known of our rows beside their scores."""

    number: str | None = None
    """Of one table, such as ``II``; by default all of the task."""
    lacking: Sequence[Lacking] = ()
    """What else was to be there."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """Of runs that stand for none of the paper's losses, by name: what they are."""


def paper_comparison(comparison: Comparison, wanted: PaperRows = PaperRows()) -> tuple[list[ComparedTable], list[str]]:
    """Returns the paper's tables of the runs' task with our rows in them, and what differs in protocol.

    Raises:
        RunError: If the runs are of several tasks, or of one that the paper has no table of.
    """
    tasks = sorted({record.task for record in _records(comparison)})
    known = paper_tables(tasks[0]) if len(tasks) == 1 else ()
    if not known:
        what = " and ".join(tasks) or "pictures of which no training is known"
        raise RunError(f"the paper has no table of {what}, only of denoise, sr, deblur and jpeg; leave --paper out")
    chosen = [table for table in known if wanted.number in (None, table.number)]
    tables = [_with_our_rows(table, comparison, tasks[0], wanted) for table in chosen]
    return tables, protocol_differences(comparison)


def protocol_differences(comparison: Comparison) -> list[str]:
    """Returns in sentences what keeps our numbers and the paper's from being compared one to one."""
    records = _records(comparison)
    task = records[0].task
    said = [
        f"Test images: the paper's are the 100 of DIV2K's validation set; ours are {len(comparison.images)} of "
        f"{comparison.set}. Scores do not carry over from one set to another; the changes between losses may.",
        f"Degradation: the paper's is {_DEGRADATIONS[task]}; ours is {rounded(comparison.degradation)}.",
        f"Training images: the paper's are the 800 of DIV2K; ours are {_each(f'{r.images:,}' for r in records)}.",
        f"Network: the paper's is {_NETWORKS[task]}; ours is {_each(r.network for r in records)}.",
        "Length of training: the paper's is not known; ours is "
        f"{_each(f'{r.steps:,} steps of {r.batch} crops of {r.crop} pixels at a rate of {r.lr:g}' for r in records)}"
        f"{_starts(records)}.",
    ]
    if features := _features(comparison):
        said.append(
            "Features: the paper compares those of VGG16 after a convolution of its fourth block (most likely conv4_3 "
            "after the ReLU), in an input convention that is not known; a weight means nothing for other features. "
            f"Ours are {features}."
        )
    if unknown := [run.name for run in comparison.runs if run.record is None]:
        said.append(f"How {', '.join(unknown)} came about is known from its authors alone, if at all.")
    said += [text for key, text in _METRICS.items() if _ours(comparison, key)]
    return said + [
        _LACKING.get(key, f"{LABELS[key]}: ours have none, since they were not evaluated with it.")
        for key in paper_tables(task)[0].columns
        if _ours(comparison, key) is None
    ]


def _records(comparison: Comparison) -> list[RunRecord]:
    return [run.record for run in comparison.runs if run.record is not None]


def _starts(records: Sequence[RunRecord]) -> str:
    """Returns what the runs go on from, as far as it is there to tell."""
    said = []
    for place in dict.fromkeys(record.init for record in records if record.init is not None):
        config = Path(place) / "config.json"
        if not config.is_file():
            said.append(Path(place).name)
            continue
        start = read_record(config, RunRecord)
        said.append(f"{Path(place).name}, {start.steps:,} steps of {start.loss} at a rate of {start.lr:g}")
    return f", going on from {_each(said)}, where the paper says of none that it does" if said else ""


def _features(comparison: Comparison) -> str:
    terms = (term for run in comparison.runs for term in readable(run.loss) or ())
    found = ((dict(term.options).get("features"), term.name) for term in terms)
    return _each(f"{features} ({name})" for features, name in found if features is not None)


def _with_our_rows(
    table: PaperTable,
    comparison: Comparison,
    task: str,
    wanted: PaperRows,
) -> ComparedTable:
    """Returns the paper's rows, and behind those of each loss ours of the same."""
    plain = next((row.scores for row in paper_tables(task)[0].rows if row.loss == "no-perceptual"), {})
    besides = [key for key in (*comparison.metrics, *comparison.set_metrics) if _stands_beside(key, table.columns)]
    theirs: dict[str, list[ComparedRow]] = {}
    for row in table.rows:
        cells = [_cell(key, row.scores.get(key), _reference(row.loss, plain.get(key))) for key in table.columns]
        remark = CERTAINTY[row.certainty] if row.certainty != "printed" else ""
        shown = ComparedRow("paper", row.loss, row.weight, remark, (*cells, *(ComparedCell() for _ in besides)))
        theirs.setdefault(row.loss, []).append(shown)
    keys = [*((key, _ours(comparison, key)) for key in table.columns), *((key, key) for key in besides)]
    inputs = tuple(_cell(key, comparison.input_mean(found) if found else None) for key, found in keys)
    ours: dict[str, list[ComparedRow]] = {"input": [ComparedRow("ours", "input", "", "", inputs)]}
    points = points_of(comparison)
    called = labels(points, wanted.remarks.keys())
    alone = next((point for point, label in zip(points, called, strict=True) if label == "no-perceptual"), None)
    shares = resample_shares(len(comparison.images))
    for point, label in zip(points, called, strict=True):
        against = None if point is alone else alone
        cells = [_our_cell(comparison, key, found, point, against, shares) for key, found in keys]
        said = "; ".join(filter(None, [point.trained, *(wanted.remarks.get(name, "") for name in point.names)]))
        label = label if label in theirs else _identity(label, theirs)
        ours.setdefault(label, []).append(ComparedRow("ours", point.loss, point.weight, said, tuple(cells)))
    for one in wanted.lacking:
        empty = tuple(ComparedCell() for _ in keys)
        label = one.loss if one.loss in theirs else _identity(one.loss, theirs)
        ours.setdefault(label, []).append(ComparedRow("ours", one.loss, "", one.why, empty))
    rows = [row for label in dict.fromkeys([*theirs, *ours]) for row in (*theirs.get(label, []), *ours.get(label, []))]
    return ComparedTable(
        f"Table {table.number}, {table.caption}",
        (*(LABELS[key] for key in table.columns), *(comparison.metric(key).label for key in besides)),
        tuple(rows),
        tuple(verdict(table, comparison, points, called)),
    )


def _identity(label: str, theirs: Collection[str]) -> str:
    """Returns the label as a table calls it that tells projections apart."""
    return f"{label}-identity" if f"{label}-identity" in theirs else label


def _stands_beside(key: str, columns: Collection[str]) -> bool:
    return key.startswith(_BESIDES) and key.partition("(")[0] not in columns


def _reference(loss: str, plain: float | None) -> float | None:
    return None if loss in ("reference", "input", "no-perceptual") else plain


def _cell(key: str, value: float | None, reference: float | None = None, under: str = "") -> ComparedCell:
    if value is None:
        return ComparedCell()
    digits = _digits(key)
    return ComparedCell(
        number(value, digits), "" if reference is None else number(value - reference, digits, True), under
    )


def _digits(key: str) -> int:
    return 2 if key.startswith(("psnr", "fid")) else 5 if key.startswith(("kid", "paired_kid")) else 3


def _our_cell(
    comparison: Comparison,
    key: str,
    found: str | None,
    point: WeightPoint,
    against: WeightPoint | None,
    shares: Float[np.ndarray, "resamples images"],
) -> ComparedCell:
    """Returns the mean over images and seeds, its interval over images, and the spread over seeds."""
    value = point.mean(comparison, found) if found else None
    if found is None or value is None:
        return ComparedCell()
    said = []
    if (whole := point.whole(comparison, found, shares)) is not None:
        said.append(between(whole.low, whole.high, _digits(key)))
    if (spread := point.spread(comparison, found)) is not None:
        said.append(f"± {number(spread, _digits(key))}")
    return _cell(key, value, against.mean(comparison, found) if against else None, " ".join(filter(None, said)))


def _ours(comparison: Comparison, key: str) -> str | None:
    """Returns our metric of the paper's name: the same name, options aside."""
    keys = (*comparison.metrics, *comparison.set_metrics)
    return next((ours for ours in keys if ours.partition("(")[0] == key), None)


def _each(values: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(values))
