"""A model measured: its numbers are those of any evaluation of the file."""

import pytest
from PIL import Image

from pdloss.evaluation import evaluate, score
from pdloss.models.evaluating import evaluate_model
from pdloss.models.packing import unpack
from pdloss.models.scores import ModelScores
from pdloss.records import Method, read_record
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


def test_anybodys_results_stand_beside_where_they_show_the_same_targets(made: Made, tmp_path) -> None:
    score(
        made.out / "tiny" / "degraded" / "measured-q10", made.data, metric_names=["psnr"], device="cpu",
        method=Method(name="nothing"), out=made.out / "nothing",
    )  # fmt: skip
    (written,) = (made.out / "nothing" / "scores").glob("*.json")
    written.rename(written.with_name("measured-q10.json"))
    found = evaluate_model(
        made.file, [made.data], made.out, metric_names=["psnr"], beside=["nothing", "none"], device="cpu"
    )
    first, *others = found.sets
    assert first.scores[0].against["nothing"] == pytest.approx(first.scores[0].against["input"])
    assert all(set(each.scores[0].against) == {"input"} for each in others)
