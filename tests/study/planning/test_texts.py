"""What raters read unless the researcher writes it."""

from pathlib import Path
from typing import get_args

import pytest

from pdloss.errors import SpecError
from pdloss.study.planning.texts import CONSENT, QUESTIONS, consent
from pdloss.study.records import Reference


def test_every_way_of_showing_the_target_has_its_question() -> None:
    assert set(QUESTIONS) == set(get_args(Reference))
    assert len(set(QUESTIONS.values())) == len(QUESTIONS)


def test_the_consent_is_the_researchers_or_ours(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("\n Agreed? \n", encoding="utf-8")
    assert consent(tmp_path / "own.txt") == "Agreed?"
    assert consent(None) == CONSENT


def test_nobody_agrees_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(SpecError, match="is empty; raters must know what they agree to"):
        consent(tmp_path / "empty.txt")
    with pytest.raises(SpecError, match="the consent text: "):
        consent(tmp_path / "none.txt")
