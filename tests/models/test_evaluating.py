"""A model measured: its numbers are those of any evaluation of the file."""

import pytest
from PIL import Image

from pdloss.evaluation import evaluate
from pdloss.models.evaluating import evaluate_model
from pdloss.models.packing import unpack
from pdloss.models.scores import ModelScores
from pdloss.records import read_record
from tests.models.conftest import Made


def test_the_scores_are_those_of_evaluate_on_each_protocol(made: Made, tmp_path) -> None:
    assert [each.protocol for each in made.scores.sets] == ["q10", "q20", "q40", "q80", "q20-444"]
    run = unpack(made.file, tmp_path / "run")
    for each in (made.scores.sets[0], made.scores.sets[4]):
        degradation = each.degradation.partition(", seed")[0]
        own = evaluate(run.path, made.data, degradation=degradation, metric_names=["psnr"], device="cpu").scores
        (score,) = each.scores
        assert score.value == pytest.approx(own.images[0].restored["psnr"])
        assert score.values["input"] == pytest.approx(own.images[0].degraded["psnr"])
        assert set(score.against) == {"input", "tiny-l1"}


def test_scores_card_and_picture_lie_beside_each_other(made: Made) -> None:
    assert read_record(made.out / "tiny.json", ModelScores) == made.scores
    assert (made.out / "tiny.md").read_text(encoding="utf-8").startswith("# tiny\n")
    with Image.open(made.out / "tiny.jpg") as picture:
        assert picture.size == (3 * 40, 40), "three squares of the smallest side"


def test_what_is_measured_already_is_not_measured_again(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pdloss.evaluation.pictures.restore_batch", lambda *_: pytest.fail("measured again"))
    evaluate_model(made.file, [made.data], made.out, metric_names=["psnr"], device="cpu")
    # What it was compared with is not named now; as it was measured, the card is written without.
    assert "against" not in (made.out / "tiny.md").read_text(encoding="utf-8")
