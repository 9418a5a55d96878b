"""Several runs scored in one go: the same scores, targets looked at once, and nothing lost on the way."""

from pathlib import Path

import pytest
import torch
from msgspec import structs

from pdloss.evaluation import Evaluator, evaluator, scoring
from pdloss.metrics import METRICS, Entry, psnr
from pdloss.metrics.sets import SetEntry
from pdloss.records import Scores, read_record
from tests.evaluation.test_evaluator import Colour
from tests.runs_for_tests import photographs_in, trained_run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Path]:
    """Three tiny runs, and photographs."""
    folder = tmp_path_factory.mktemp("trained")
    data = photographs_in(folder / "photographs")
    return [trained_run(folder / f"run{steps}", data, steps=steps) for steps in (1, 2, 3)], data


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The identities of what the metric `psnr` was given; the metric `red` is one of sets."""
    calls: list[tuple[int, int]] = []
    kept: list[torch.Tensor] = []  # so that no identity comes again

    def counted(restored: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        kept.extend((restored, target))
        calls.append((id(restored), id(target)))
        return psnr(restored, target)

    record = METRICS["psnr"].record
    monkeypatch.setitem(METRICS, "psnr", Entry(record, lambda: counted))
    monkeypatch.setitem(scoring.SET_METRICS, "red", SetEntry(record, Colour))
    return calls


NAMES = ["psnr", "red", "consistency"]


def test_scores_are_those_of_one_run_at_a_time(trained: tuple[list[Path], Path], seen: list[tuple[int, int]]) -> None:
    runs, data = trained
    alone = [Evaluator(NAMES, again=True)(run, data).scores for run in runs]
    together = [one.scores for one in Evaluator(NAMES, again=True).together(runs, data)]
    assert [structs.replace(one, seconds=0) for one in together] == [structs.replace(one, seconds=0) for one in alone]
    assert together[0].images[0].restored != together[1].images[0].restored
    for run, scores in zip(runs, together, strict=True):
        assert read_record(run / "scores" / "photographs.json", Scores) == scores


def test_every_target_is_one_tensor_for_all_runs(trained: tuple[list[Path], Path], seen: list[tuple[int, int]]) -> None:
    runs, data = trained
    Evaluator(["psnr"], again=True).together(runs, data)
    targets = [target for _, target in seen]
    assert len(targets) == 2 * (3 + 1)  # three runs, and the input
    assert len(set(targets)) == 2


def test_a_kill_loses_no_more_than_a_few_runs(
    trained: tuple[list[Path], Path], seen: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, data = trained
    monkeypatch.setattr(evaluator, "AT_ONCE", 2)
    for run in runs:
        (run / "scores" / "photographs.json").unlink(missing_ok=True)
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Evaluator(["psnr"]).together(runs, data, progress=stop)
    # Two runs on two photographs, each restored, which is half of it, and then scored; the third does both at once.
    assert told == [(i // 2, 6) for i in range(1, 9)] + [(5, 6)]
    assert [(run / "scores" / "photographs.json").exists() for run in runs] == [True, True, False]


def test_what_is_there_is_kept_and_what_lacks_is_computed_of_the_pictures_on_disk(
    trained: tuple[list[Path], Path], seen: list[tuple[int, int]]
) -> None:
    runs, data = trained
    Evaluator(["psnr"], again=True)(runs[0], data)
    Evaluator(["psnr", "ssim"], again=True)(runs[1], data)
    notes = [" ".join(one.notes) for one in Evaluator(["psnr", "ssim"]).together(runs[:2], data)]
    assert "only ssim computed, of the pictures on disk" in notes[0]
    assert "--again scores it anew" in notes[1]
    assert read_record(runs[0] / "scores" / "photographs.json", Scores).metrics.keys() == {"psnr", "ssim"}
