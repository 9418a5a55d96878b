"""Records: read back as written, strict about everything else."""

import hashlib
import json
import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdloss.errors import RunError
from pdloss.records import (
    ImageScores,
    LogLine,
    Metric,
    RunRecord,
    Scores,
    SetScore,
    log_text,
    read_log,
    read_record,
    write_record,
)

few = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
RUN = RunRecord(
    task="denoise",
    data="/photographs",
    network="edsr(scale=1)",
    loss="l1 + 0.01*pdl",
    degradation="noise",
    steps=10,
    batch=2,
    crop=16,
    lr=1e-4,
    schedule="cosine",
    seed=0,
    precision="float32",
    device="cpu",
    init=None,
    skip_damaged=False,
    parameters=123,
    images=3,
    data_fingerprint="00",
    weights={"vgg": "sha256 …"},
    versions={"torch": "2"},
    commit=None,
    created="2024-01-01T00:00:00+00:00",
)
LINE = LogLine(step=1, seconds=0.5, lr=1e-4, total=0.25, terms={"l1": 0.25}, gradients={"l1": 1.0})


SET = SetScore(value=12.5, error=0.5, note="unreliable")


def scores(**values: float) -> Scores:
    return Scores(
        run="a",
        set="kodak24",
        targets="/photographs",
        step=3,
        degradation="noise",
        metrics={"psnr": Metric(label="PSNR", unit="dB", better="higher", protocol="RGB")},
        images=[ImageScores(name="01.png", restored=values, degraded={})],
        seconds=1.0,
    )


@pytest.mark.parametrize("record", [RUN, LINE, SET, scores(psnr=31.4)], ids=lambda record: type(record).__name__)
def test_a_record_is_read_back_as_written(tmp_path: Path, record: msgspec.Struct) -> None:
    write_record(tmp_path / "deep" / "record.json", record)
    assert read_record(tmp_path / "deep" / "record.json", type(record)) == record
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["record.json"]


def test_a_record_is_plain_indented_json(tmp_path: Path) -> None:
    write_record(tmp_path / "config.json", RUN)
    text = (tmp_path / "config.json").read_text()
    content = json.loads(text)
    seal = content.pop("content_sha256")
    assert content == msgspec.structs.asdict(RUN)
    assert seal == hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    assert '\n  "loss": "l1 + 0.01*pdl",\n' in text
    assert text.endswith("}\n")


@few
@given(value=st.floats(allow_nan=False))
def test_every_score_is_read_back_exactly_even_an_infinite_one(
    value: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "scores.json"
    write_record(path, scores(psnr=value))
    assert read_record(path, Scores).images[0].restored == {"psnr": value}


def test_a_score_that_is_not_a_number_is_read_back_as_such(tmp_path: Path) -> None:
    write_record(tmp_path / "scores.json", scores(psnr=math.nan, psnr_y=-math.inf))
    restored = read_record(tmp_path / "scores.json", Scores).images[0].restored
    assert math.isnan(restored["psnr"])
    assert restored["psnr_y"] == -math.inf


def test_scores_from_before_sets_and_hashes_are_still_read(tmp_path: Path) -> None:
    write_record(tmp_path / "new.json", scores(psnr=30.0))
    known = json.loads((tmp_path / "new.json").read_text())
    for key in ("set_metrics", "sets", "degraded_sets", "weights_sha256", "targets_sha256", "content_sha256"):
        del known[key]
    del known["images"][0]["restored_sha256"]
    del known["metrics"]["psnr"]["weights"]
    (tmp_path / "old.json").write_text(json.dumps(known))
    assert read_record(tmp_path / "old.json", Scores) == scores(psnr=30.0)


def test_several_records_are_written_as_an_array(tmp_path: Path) -> None:
    write_record(tmp_path / "both.json", [scores(psnr=30.0), scores(psnr=math.inf)])
    both = msgspec.json.decode((tmp_path / "both.json").read_bytes(), type=list[Scores], strict=False)
    assert both == [scores(psnr=30.0), scores(psnr=math.inf)]


def test_records_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        RUN.steps = 20


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Input data was truncated"),
        (b"{", "truncated"),
        (b"not json", "malformed"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"step": 1}', "missing required field `seconds`"),
        (msgspec.json.encode(LINE)[:-1] + b', "colour": 1}', "unknown field `colour`"),
        (msgspec.json.encode(LINE).replace(b'"step":1', b'"step":"first"'), "Expected `int`"),
        (msgspec.json.encode(LINE).replace(b'"step":1', b'"step":1.5'), "Expected `int`, got `float`"),
        (msgspec.json.encode(LINE).replace(b'"step":1', b'"step":null'), "Expected `int`, got `null`"),
        (msgspec.json.encode(LINE).replace(b"l1", b"\xff\xfe"), "utf-8"),
    ],
)
def test_a_file_that_is_no_such_record_is_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "line.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=f"line.json is not a LogLine: .*{said}"):
        read_record(path, LogLine)


def test_a_missing_file_or_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="config.json does not exist"):
        read_record(tmp_path / "config.json", RunRecord)
    with pytest.raises(RunError, match=tmp_path.name):
        read_record(tmp_path, RunRecord)


def test_a_choice_outside_the_allowed_words_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "config.json", RUN)
    text = (tmp_path / "config.json").read_text().replace("cosine", "cosinus")
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match="cosinus"):
        read_record(tmp_path / "config.json", RunRecord)


def log_bytes(*steps: int) -> bytes:
    return b"".join(msgspec.json.encode(msgspec.structs.replace(LINE, step=step)) + b"\n" for step in steps)


def test_the_whole_lines_of_a_log_are_read_and_a_cut_off_one_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = log_bytes(1, 2, 3)
    third = len(log_bytes(1, 2))
    for length in range(third, len(whole) + 1):
        path.write_bytes(whole[:length])
        assert [line.step for line in read_log(path)] == ([1, 2, 3] if length == len(whole) else [1, 2])


def test_no_log_and_an_empty_log_hold_no_lines(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log.jsonl") == []
    (tmp_path / "log.jsonl").touch()
    assert read_log(tmp_path / "log.jsonl") == []


@pytest.mark.parametrize("damage", [b"{}\n", b"half a li\n", b"\n", b'{"step": "\xff"}\n'])
def test_a_damaged_line_inside_a_log_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "log.jsonl").write_bytes(log_bytes(1) + damage + log_bytes(2))
    with pytest.raises(RunError, match="log.jsonl is not a training log"):
        read_log(tmp_path / "log.jsonl")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_mark_of_the_byte_order_is_no_part_of_a_record(tmp_path: Path, encoding: str) -> None:
    text, path = msgspec.json.encode(LINE).decode(), tmp_path / "line.json"
    path.write_bytes((b"\xfe\xff" if encoding == "utf-16-be" else b"") + text.encode(encoding))
    assert read_record(path, LogLine) == LINE
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\n")
    assert read_log(log) == [LINE]


def test_a_record_in_which_a_digit_changed_is_refused_and_one_edited_on_purpose_is_not(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    write_record(path, RUN)
    path.write_text(path.read_text().replace(f'"seed": {RUN.seed}', f'"seed": {RUN.seed + 1}'))
    with pytest.raises(RunError, match=r"config.json is damaged or was edited: .* remove that line if you edited"):
        read_record(path, RunRecord)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "content_sha256" not in line)
                    .replace('"2024-01-01T00:00:00+00:00",', '"2024-01-01T00:00:00+00:00"'))  # fmt: skip
    assert read_record(path, RunRecord) == msgspec.structs.replace(RUN, seed=RUN.seed + 1)


def test_a_line_of_the_log_in_which_a_digit_changed_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(log_text(LINE) + log_text(LINE))
    assert read_log(log) == [LINE, LINE]
    whole = log.read_bytes()
    for place in range(len(whole) - 1):
        log.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(RunError, match=r"log.jsonl is not a training log, or is damaged: line [12]: "):
            read_log(log)
    log.write_bytes(msgspec.json.encode(LINE) + b"\n")
    assert read_log(log) == [LINE], "version 0.1.0 wrote no checksums"
