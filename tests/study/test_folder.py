"""The folder of a study: never overwritten, its damage found, its secrets private."""

import json
from pathlib import Path

import pytest

from pdloss.errors import RunError, SpecError
from pdloss.study.folder import StudyFolder
from tests.study.studies_for_tests import make_study


def test_a_study_is_never_overwritten_and_damage_is_found(tmp_path: Path) -> None:
    path = make_study(tmp_path)
    with pytest.raises(SpecError, match="holds a study already"):
        make_study(tmp_path)
    study = StudyFolder(path)
    study.verify()
    file = path / "crops" / next(iter(study.design.images[0].files.values()))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError, match="is not the crop that the design was made with"):
        study.verify()


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("questions", 0, "left"), "method9", "shows what is no crop of it"),
        (("questions", 0, "repeats"), "nothing", "repeats nothing, which there is not"),
        (("images", 0, "files", "method0"), "../secrets.json", "has a file outside the folder crops"),
        (("images", 0, "files", "method0"), "other.png", "lacks hashes of its files"),
        (("schedules", 0, 0), "nothing", "schedules name nothing, which is no question"),
        (("schedules",), [], "it has no schedules"),
        (("format",), 9, "has format 9, this pdloss reads 1"),
    ],
)
def test_a_design_changed_by_hand_is_refused(tmp_path: Path, place: tuple, value: object, problem: str) -> None:
    path = make_study(tmp_path) / "design.json"
    data = json.loads(path.read_text())
    del data["content_sha256"]  # as the message for an edited file advises
    inside = data
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    path.write_text(json.dumps(data))
    with pytest.raises(RunError, match=problem):
        StudyFolder(path.parent)


def test_secrets_are_private_and_stay(tmp_path: Path) -> None:
    study = StudyFolder(make_study(tmp_path))
    first = study.secrets()
    assert (study.path / "secrets.json").stat().st_mode & 0o077 == 0
    assert study.secrets() == first
    assert len(first.admin) >= 43
    assert first.admin != first.root
