"""Evaluating again: what is unchanged is kept, what has changed is restored and scored anew."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from msgspec import structs
from safetensors.torch import load_file, save_file

from pdloss.errors import OutOfMemoryError
from pdloss.evaluation import Evaluation, Evaluator, evaluate, pictures, scoring
from pdloss.images import read_image, write_image
from pdloss.metrics import METRICS, Entry, psnr
from pdloss.metrics.sets import SetEntry
from pdloss.records import Metric, Scores, read_record, write_record
from pdloss.runs import RunFolder
from tests.evaluation.test_evaluator import Colour
from tests.runs_for_tests import photographs_in, trained_run


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """A tiny run and photographs that a test may change."""
    data = photographs_in(tmp_path / "photographs")
    return trained_run(tmp_path / "run", data, steps=2), data


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for every picture that a network restores."""
    calls: list[int] = []
    really = pictures.restore_batch

    def counted(*arguments: object) -> torch.Tensor:
        calls.append(len(calls))
        return really(*arguments)

    monkeypatch.setattr(pictures, "restore_batch", counted)
    return calls


def test_what_is_scored_and_unchanged_is_not_done_again(own: tuple[Path, Path], restored: list[int]) -> None:
    first = evaluate(*own, metric_names=["psnr", "consistency"])
    again = evaluate(*own, metric_names=["consistency", "psnr"])
    assert len(restored) == 2
    assert again.scores == first.scores
    assert _said(again) == ["run on photographs: scored already and unchanged; --again scores it anew"]
    evaluate(*own, metric_names=["psnr"], again=True)
    assert len(restored) == 4


def change_weights(run: Path, data: Path) -> dict[str, object]:
    weights = RunFolder(run).latest_weights()[1]
    save_file({name: tensor * 0.9 for name, tensor in load_file(weights).items()}, weights)
    return {}


def change_a_photograph(run: Path, data: Path) -> dict[str, object]:
    write_image(data / "photo1.png", read_image(data / "photo1.png").flip(1))
    return {}


def change_a_restored_picture(run: Path, data: Path) -> dict[str, object]:
    path = run / "restored" / "photographs" / "photo1.png"
    write_image(path, read_image(path).flip(1))
    return {}


def remove_a_photograph(run: Path, data: Path) -> dict[str, object]:
    (data / "photo1.png").unlink()
    return {}


@pytest.mark.parametrize(
    "change",
    [
        change_weights,
        change_a_photograph,
        remove_a_photograph,
        change_a_restored_picture,
        lambda run, data: {"seed": 1},
        lambda run, data: {"degradation": "noise(sigma=0.2)"},
    ],
)
def test_what_has_changed_is_restored_and_scored_anew(
    own: tuple[Path, Path], restored: list[int], change: Callable[[Path, Path], dict[str, object]]
) -> None:
    evaluate(*own, metric_names=["psnr", "psnr_y"])
    scores = evaluate(*own, metric_names=["psnr"], **change(*own)).scores
    assert len(restored) == 2 + len(scores.images)
    assert list(scores.metrics) == ["psnr"], "no score of what is no more"


def test_new_metrics_are_taken_of_the_pictures_on_disk_and_are_the_same(
    own: tuple[Path, Path], restored: list[int]
) -> None:
    run, data = own
    whole = evaluate(run, data, metric_names=["psnr", "psnr_y", "consistency"], name="whole").scores
    evaluate(run, data, metric_names=["psnr"], name="parts")
    parts = evaluate(run, data, metric_names=["psnr_y", "consistency"], name="parts")
    assert len(restored) == 4
    assert _said(parts) == [
        "run on parts: scored already and unchanged; only psnr_y, noise_correlation computed, of the pictures on disk"
    ]
    assert parts.scores.images == whole.images
    assert parts.scores.metrics == whole.metrics
    assert read_record(run / "scores" / "parts.json", Scores) == parts.scores


def test_a_metric_with_another_protocol_is_computed_anew(
    own: tuple[Path, Path], restored: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(*own, metric_names=["psnr", "psnr_y"])
    other = Metric(label="PSNR", better="higher", protocol="without 4 pixels of border")
    monkeypatch.setitem(METRICS, "psnr", Entry(other, lambda: lambda one, two: psnr(one, two, border=4)))
    scores = evaluate(*own, metric_names=["psnr", "psnr_y"]).scores
    assert len(restored) == 2
    assert scores.metrics["psnr"] == other
    target, stored = (read_image(folder / "photo0.png") for folder in (own[1], own[0] / "restored" / "photographs"))
    assert scores.images[0].restored["psnr"] == pytest.approx(psnr(stored[None], target[None], border=4).item())


def test_scores_of_an_older_version_are_replaced(own: tuple[Path, Path], restored: list[int]) -> None:
    scores = evaluate(*own, metric_names=["psnr"]).scores
    older = structs.replace(scores, weights_sha256=None, targets_sha256=None)
    write_record(own[0] / "scores" / "photographs.json", older)
    assert structs.replace(evaluate(*own, metric_names=["psnr"]).scores, seconds=scores.seconds) == scores
    assert len(restored) == 4


def test_inputs_are_scored_once_for_all_runs(own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    run, data = own
    calls = []
    record = METRICS["psnr"].record
    monkeypatch.setitem(METRICS, "psnr", Entry(record, lambda: lambda one, two: calls.append(1) or psnr(one, two)))
    monkeypatch.setitem(scoring.SET_METRICS, "red", SetEntry(record, Colour))
    other = trained_run(run.parent / "other", data, steps=4)
    evaluator = Evaluator(["psnr", "red"])
    first, second = (evaluator(folder, data).scores for folder in (run, other))
    assert len(calls) == 2 + 2 + 2
    assert [image.degraded for image in first.images] == [image.degraded for image in second.images]
    assert first.degraded_sets == second.degraded_sets
    assert first.sets != second.sets
    alone = Evaluator(["psnr", "red"], again=True)(other, data).scores
    assert structs.replace(alone, seconds=second.seconds) == second


def _said(evaluation: Evaluation) -> list[str]:
    """What evaluation says, but for the warning that these runs are measured on what they were trained on."""
    return [note for note in evaluation.notes if not note.startswith("warning")]


def test_memory_that_runs_out_is_one_sentence_and_loses_no_scores(
    own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, data = own
    before = evaluate(run, data, metric_names=["psnr"]).scores

    def runs_out(*_: object) -> None:
        torch.empty(1 << 50)

    monkeypatch.setattr("pdloss.evaluation.pictures.restore_batch", runs_out)
    with pytest.raises(OutOfMemoryError, match=r"\Amemory ran out while evaluating run on photographs [^\n]*--metrics"):
        evaluate(run, data, metric_names=["psnr"], again=True)
    assert read_record(run / "scores" / "photographs.json", Scores) == before
