"""``pdloss bench losses`` as typed."""

import json
from pathlib import Path

import pytest

from pdloss.benchmarking.loss_costs import LossBenchmark
from pdloss.commands.bench import main
from pdloss.errors import SpecError
from pdloss.records import read_record

TINY = ["--network", "edsr(blocks=1, width=8, unshuffle=2)", "--crop", "16", "--batch", "1", "--repeats", "1"]


def test_prints_a_table_and_writes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    missing, out = "l1 + 0.01*pdl", tmp_path / "made" / "losses.json"
    texts = ["l1 + 0.01*pdl(features='distilled.relu3_3')", missing]
    assert main(["losses", *TINY, "--losses", *texts, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    rows = {line.split("  ")[0].strip(): line.split() for line in said.splitlines() if line.startswith(" l1")}
    assert rows["l1"][1:3] == ["1.00", "1.00"]
    assert rows[texts[0]][4] == "0.57"
    assert rows[missing][3:] == ["–", "0.57", *["–"] * 5]  # noqa: RUF001
    reason = next(line for line in said.splitlines() if line.startswith(f"{missing}: "))
    assert "vgg16" in reason.removeprefix(missing)
    assert said.rstrip().endswith(str(out))
    written = read_record(out, LossBenchmark)
    assert [cost.loss for cost in written.losses] == ["l1", *texts]
    assert [cost.problem is None for cost in written.losses] == [True, True, False]
    assert {"date", "device", "threads", "versions", "commit", "protocol"} <= json.loads(out.read_text()).keys()
    assert "1 interleaved repeats" in written.protocol


def test_nothing_is_written_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["losses", *TINY, "--losses", "l1"]) == 0
    assert "interleaved" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_is_named() -> None:
    with pytest.raises(SpecError, match="did you mean 'pdl'"):
        main(["losses", "--losses", "l1 + pld"])


def test_wrong_usage_ends_with_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["gains"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
    assert "losses" in capsys.readouterr().err
