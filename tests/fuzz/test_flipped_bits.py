"""A flipped bit in any file that people pass on is named, or changes nothing."""

from pathlib import Path

import pytest

from tests.fuzz.folders import flip_bits, make


def test_no_flipped_bit_passes_in_silence_or_ends_in_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A cache of its own: what other tests decoded is not read here, and would take most of the flips.
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "cache"))
    findings = flip_bits(make(tmp_path), 300, seed=1)
    assert findings.faults == []
    assert findings.tried == findings.refused + findings.unchanged == 300
    assert findings.refused > 200
