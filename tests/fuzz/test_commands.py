"""No command line, however absurd, ends in a traceback or a hang, or harms what stands there."""

import shutil
from pathlib import Path

from tests.fuzz.commands import try_commands
from tests.fuzz.folders import make, workplace


def test_absurd_command_lines_are_refused_in_sentences_and_harm_nothing(tmp_path: Path) -> None:
    work = workplace(make(tmp_path / "made"), tmp_path / "around" / "deep" / "work")
    outside = tmp_path / "outside"
    shutil.copytree(work / "data", outside)
    findings, taken = try_commands(work, outside, 200, seed=1)
    assert findings.faults == []
    assert findings.refused > 120, taken
