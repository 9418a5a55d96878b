"""Tables III and V: what the paper's own preferences say, and the study of our runs."""

import pytest

from pdloss.report.paper import ANSWERS, PREFERENCES
from pdloss.sweeps import preferences
from pdloss.sweeps.preferences import designed_study, preference_table
from pdloss.sweeps.reproduction import JUDGED

# A Bradley-Terry fit by minorisation and maximisation, 500 answers a pair: scores, errors, deviance and freedom.
FITTED = {
    "table3": ([-0.637, -0.328, 0.127, 0.245, 0.593], [0.039, 0.037, 0.037, 0.037, 0.039], "3.5 at 6"),
    "table5": (
        [-0.669, -0.269, 0.030, 0.085, 0.365, 0.458],
        [0.036, 0.034, 0.034, 0.034, 0.035, 0.035],
        "9.9 at 10",
    ),
}


@pytest.mark.parametrize("name", FITTED)
def test_scores_and_errors_are_those_of_another_fit(name):
    table = preference_table(name)
    scores, errors, deviance = FITTED[name]
    shown = [[float(cell.text.replace("\N{MINUS SIGN}", "-")) for cell in row[-2:]] for row in table.cells]
    assert [row[0] for row in shown] == pytest.approx(scores, abs=0.0015)
    assert [row[1] for row in shown] == pytest.approx(errors, abs=0.0015)
    assert f"Deviance {deviance}" in table.remarks[1]


@pytest.mark.parametrize("number", PREFERENCES)
def test_the_printed_shares_add_up_to_one(number):
    methods, shares = PREFERENCES[number]
    for i in range(len(methods)):
        for j in range(i):
            assert shares[i][j] + shares[j][i] == pytest.approx(1)
    assert ANSWERS == 500


def test_a_study_is_designed_of_scored_runs_and_else_is_told_how_to_come_by_them(tmp_path, monkeypatch):
    asked = []

    class Ended:
        returncode = 0

    monkeypatch.setattr(preferences.subprocess, "run", lambda words, **_: asked.append(words) or Ended())
    status, said = designed_study("table3", tmp_path, tmp_path / "study")
    assert (status, asked) == (0, [])
    assert "PDL-w0.01 not scored yet; pdloss reproduce table2 --out" in said
    for run in JUDGED["table3"][3]:
        (tmp_path / "denoise" / run / "scores").mkdir(parents=True)
    assert designed_study("table3", tmp_path, tmp_path / "study") == (0, f"pdloss study serve {tmp_path / 'study'}")
    assert asked[0][3:5] == ["study", "design"]
    assert asked[0][5:10] == [str(tmp_path / "denoise" / run) for run in JUDGED["table3"][3]]
    (tmp_path / "study").mkdir()
    assert "the study is there" in designed_study("table3", tmp_path, tmp_path / "study")[1]
