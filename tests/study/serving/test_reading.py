"""What a study's database says: answers, raters, and their codes."""

import csv
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.study.folder import StudyFolder
from pdloss.study.serving import reading
from tests.study.studies_for_tests import SMALL, answer, begin, make_study, open_api


def test_nobody_having_answered_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no answers yet; pdloss study serve"):
        reading.study_answers(make_study(tmp_path))


def test_the_table_of_raters_has_their_parameters_and_no_formulas(tmp_path: Path) -> None:
    api = open_api(make_study(tmp_path))
    begin(api, parameters={"workerId": "=1+1", "assignmentId": "a"})
    begin(api)
    (first, second) = csv.DictReader(reading.raters_csv(reading.raters_progress(api.store), {}).splitlines())
    assert first["workerId"] == "'=1+1"
    assert (second["workerId"], second["window"], second["pixel_ratio"], second["of"]) == ("", "1200x800", "1.0", "11")
    study = StudyFolder(api.study.path)
    files = reading.export(api.store, study, tmp_path / "out", "table\n")
    assert [file.name for file in files] == ["answers.csv", "answers.json", "raters.csv"]
    assert files[2].read_text() == "table\n"
    api.store.close()


def test_completion_codes_are_the_raters_own_or_the_researchers(tmp_path: Path) -> None:
    codes = []
    for k, completion in enumerate((None, "CODE7")):
        api = open_api(make_study(tmp_path / str(k), replace(SMALL, completion=completion)))
        for _ in range(2):
            session = begin(api)
            replies = [answer(api, session, position) for position in range(len(session["questions"]))]
            assert [reply for reply in replies if "code" in reply] == replies[-1:]
            assert api.session(session["key"])["code"] == replies[-1]["code"]
            codes.append(replies[-1]["code"])
        api.store.close()
    assert len(set(codes)) == 3
    assert codes[2:] == ["CODE7", "CODE7"]
    assert all(len(code) == 8 for code in itertools.islice(codes, 2))
