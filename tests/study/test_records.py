"""What a study writes down comes back as it was, and what makes no sense is refused."""

from pathlib import Path

import msgspec
import pytest

from pdloss.errors import RunError
from pdloss.records import read_record
from pdloss.study.folder import StudyFolder
from pdloss.study.records import Rules, StudyDesign
from tests.study.studies_for_tests import make_study


def test_a_design_says_all_that_is_asked_and_nothing_else(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    design = StudyFolder(study).design
    assert read_record(study / "design.json", StudyDesign) == design
    asked = {name for plan in design.schedules for name in plan}
    assert asked <= {question.id for question in design.questions}
    assert {question.image for question in design.questions} <= {image.id for image in design.images}


@pytest.mark.parametrize(
    "rules", [b'{"min_catch_share": 1.5}', b'{"min_seconds": -1}', b'{"max_side_share": "all"}', b'{"min_share": 0.5}']
)
def test_rules_that_no_rater_could_keep_are_refused(rules: bytes, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_bytes(rules)
    with pytest.raises(RunError, match="rules.json is not a Rules|rules.json"):
        read_record(tmp_path / "rules.json", Rules)
    assert msgspec.json.decode(b"{}", type=Rules) == Rules()
