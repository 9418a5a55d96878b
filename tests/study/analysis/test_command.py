"""``pdloss study analyse`` as typed."""

import json
from pathlib import Path

import pytest
from scipy import stats

from pdloss.cli import main as cli
from pdloss.errors import SpecError, UserError
from pdloss.records import read_record, write_record
from pdloss.study.analysis.command import FILES, main
from pdloss.study.analysis.result import Analysis
from pdloss.study.answers import write_answers
from pdloss.study.simulation.raters import Population, simulate
from tests.report.folders import write_run
from tests.study.made_up import METHODS, SCORES, made_up_design
from tests.study.studies_for_tests import answer, begin, make_study, open_api

DESIGN = made_up_design(images=8, raters=12)
HEAD = "rater,image,left,right,choice\n"


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A designed study, and the answers of made-up raters beside it."""
    write_record(tmp_path / "study" / "design.json", DESIGN)
    write_answers(tmp_path / "made.csv", simulate(DESIGN, Population(SCORES), cheaters=1))
    return tmp_path / "study"


def runs(folder: Path) -> list[str]:
    names = [f"{i:04d}.png" for i in range(8)]
    paths = {
        method: write_run(folder / method, {"psnr": [28 + score + i for i in range(8)]}, images=names)
        for method, score in SCORES.items()
    }
    return [f"{method}={path}" for method, path in paths.items()]


def test_a_study_with_answers_from_a_file(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = str(study.parent / "made.csv")
    assert main([str(study), "--answers", made, "--seed", "3", "--scores", *runs(study.parent / "runs")]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-4:] == [str(study / "analysis" / name) for name in FILES]
    for text in ("Scores, zero in the mean", "Two-sided tests of every pair", "Left out: clicker-001", "PSNR"):
        assert text in said
    found = read_record(study / "analysis" / "analysis.json", Analysis)
    assert (found.title, found.seed, found.methods, found.rules_fixed) == (DESIGN.title, 3, METHODS, True)
    people = [one.score for one in found.scales[0].scores]
    assert found.agreement[0].tau == pytest.approx(stats.kendalltau(people, list(SCORES.values())).statistic)
    html = (study / "analysis" / "index.html").read_text(encoding="utf-8")
    assert f"pdloss study analyse {study} --answers {made} --seed 3" in html
    assert (study / "analysis" / "analysis.csv").read_text(encoding="utf-8").startswith("kind,model,first,second,")
    assert r"\toprule" in (study / "analysis" / "analysis.tex").read_text(encoding="utf-8")


def test_fits_eighty_columns(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(study), "--answers", str(study.parent / "made.csv"), "--scores", *runs(study.parent / "runs")])
    tables = capsys.readouterr().out.partition("raters count")[0]
    assert "…" not in tables
    assert all(len(line.rstrip()) <= 80 for line in tables.splitlines())
    assert "contextual " in tables  # no name is broken


def test_a_table_of_anybodys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "theirs.csv"
    rows = [f"r{n % 7},{n % 5},pdl,l1,{'right' if n % 4 == 0 else 'left'}\n" for n in range(60)]
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    assert main([str(path)]) == 0
    assert "theirs: share of answers" in capsys.readouterr().out
    found = read_record(tmp_path / "analysis" / "analysis.json", Analysis)
    assert (found.used, found.preferences[0].share, found.rules_fixed) == (60, 0.75, False)
    json_path = tmp_path / "theirs.json"
    names = HEAD.strip().split(",")
    json_path.write_text(json.dumps([dict(zip(names, row.strip().split(","), strict=True)) for row in rows]))
    assert main([str(json_path), "--out", str(tmp_path / "other")]) == 0
    assert read_record(tmp_path / "other" / "analysis.json", Analysis).preferences == found.preferences


def test_the_studys_own_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_study(tmp_path)
    with pytest.raises(UserError, match="has no answers yet"):
        main([str(path)])
    api = open_api(path)
    for rater in range(4):
        session = begin(api)
        for position, shown in enumerate(session["questions"]):
            question = api.study.questions[shown["id"]]
            first = min(question.left, question.right)  # method0 before method1
            likes = question.expected or ("left" if (question.left == first) == (rater < 3) else "right")
            answer(api, session, position, likes)
    api.store.close()
    main([str(path)])
    found = read_record(path / "analysis" / "analysis.json", Analysis)
    assert (len(found.raters), found.used) == (4, 4 * 6)
    assert [one.share for one in found.preferences] == pytest.approx([0.75] * 3)
    assert max(found.scales[0].scores, key=lambda one: one.score).method == "method0"


def test_a_prior_gives_an_undefeated_method_a_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "x,1,a,b,left\ny,2,a,b,left\nz,3,b,a,right\n", encoding="utf-8")
    main([str(path)])
    assert "There are no scores: a never lost to b" in capsys.readouterr().out
    main([str(path), "--prior", "0.5"])
    assert "Bradley-Terry" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "none does not exist; give the folder of a study, or a file of answers"),
        (["made.csv", "--answers", "made.csv"], "belong to the folder of a study, not to a file of answers"),
        (["study", "--answers", "made.csv", "--database", "sqlite:///x"], "both say where the answers are"),
        (["study", "--answers", "made.csv", "--prior", "-1"], "--prior -1 must be a number of wins"),
        (["study", "--answers", "made.csv", "--scores", "pdl"], "expected METHOD=RUN, .* got 'pdl'"),
        (["study", "--answers", "made.csv", "--scores", "pdl=a", "pdl=b"], "'pdl' has two runs, a and b"),
        (["study", "--answers", "made.csv", "--scores", "pdl=a"], "there are scores of pdl alone"),
        (["study", "--answers", "none.csv"], "cannot read none.csv"),
    ],
)
def test_what_cannot_be_is_refused(
    study: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(study.parent)
    with pytest.raises((SpecError, UserError), match=message):
        main(arguments)


def test_answers_to_another_study_are_refused(study: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(HEAD + "x,image000,pdl,srgan,left\n", encoding="utf-8")
    with pytest.raises(UserError, match="saw method 'srgan', which the design does not know"):
        main([str(study), "--answers", str(tmp_path / "other.csv")])


def test_the_command_line_knows_it(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["study", "analyse", str(study / "nowhere")]) == 1
    assert "nowhere does not exist" in capsys.readouterr().err
