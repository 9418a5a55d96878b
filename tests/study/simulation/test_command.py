"""``pdloss study simulate`` as typed, from a designed study to its analysis."""

from pathlib import Path

import pytest

from pdloss.cli import main as cli
from pdloss.errors import SpecError, UserError
from pdloss.records import read_record
from pdloss.study.analysis.result import Analysis
from pdloss.study.answers import read_answers
from pdloss.study.simulation.command import main, scores
from tests.study.studies_for_tests import SMALL, make_study

PREFERENCES = "method0=1.5,method1=0,method2=-1.5"


def test_a_dry_run_from_design_to_analysis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = make_study(tmp_path), tmp_path / "made.csv"
    simulated = ["study", "simulate", str(path), "--preferences", PREFERENCES, "--raters", "30", "--out", str(out)]
    assert cli([*simulated, "--cheaters", "3", "--seed", "4"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert cli(["study", "analyse", str(path), "--answers", str(out)]) == 0
    found = read_record(path / "analysis" / "analysis.json", Analysis)
    assert [check.rater for check in found.raters if check.failed][:2] == ["clicker-001", "one-sided-002"]
    places = {one.method: one.score for one in found.scales[0].scores}
    assert sorted(places, key=lambda name: -places[name]) == ["method0", "method1", "method2"]
    assert places["method0"] - places["method2"] == pytest.approx(3, abs=1.5)


def test_every_option_reaches_the_simulation(tmp_path: Path) -> None:
    path = make_study(tmp_path, SMALL)
    usual = {"--preferences": PREFERENCES, "--seed": "1"}

    def made(**changes: str) -> list:
        given = usual | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
        out = tmp_path / "made.csv"
        assert (
            main([str(path / "design.json"), *(word for pair in given.items() for word in pair), "--out", str(out)])
            == 0
        )
        return [(one.rater, one.choice) for one in read_answers(out)]

    base = made()
    assert made() == base
    for changed in (
        {"seed": "2"},
        {"model": "thurstone"},
        {"raters": "2"},
        {"noise": "0.9"},
        {"cheaters": "1"},
        {"side_bias": "3"},
        {"rater_spread": "2"},
        {"image_spread": "2"},
    ):
        assert made(**changed) != base, changed
    assert made(tie="5") == base  # this design asks for a choice


def test_scores_are_read_from_text() -> None:
    assert scores(" a=1 ,b = -2.5,c=x=0") == {"a": 1.0, "b": -2.5, "c=x": 0.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "at 'a': expected METHOD=SCORE"),
        ("a=1,b=many", "at 'b=many': expected METHOD=SCORE"),
        ("a=nan", "expected METHOD=SCORE"),
        ("a=1,a=2", "'a' has two scores"),
        ("=1", "expected METHOD=SCORE"),
        ("a=1e9", "expected METHOD=SCORE"),
    ],
)
def test_other_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        scores(text)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    path, out = str(make_study(tmp_path)), str(tmp_path / "made.csv")
    with pytest.raises(SpecError, match="--raters -1 is less than nobody"):
        main([path, "--preferences", PREFERENCES, "--out", out, "--raters", "-1"])
    with pytest.raises(SpecError, match="the preferences lack method2"):
        main([path, "--preferences", "method0=0,method1=0", "--out", out])
    with pytest.raises(UserError, match=r"nowhere"):
        main([str(tmp_path / "nowhere"), "--preferences", PREFERENCES, "--out", out])
    assert not Path(out).exists()
