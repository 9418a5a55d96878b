"""What crosses the threshold between making pictures and judging them: one record type per file; no torch here."""

import hashlib
import json
import math
import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct

from pdloss.errors import RunError
from pdloss.files import utf8, write_bytes
from pdloss.files.spelling import spelled
from pdloss.limits import RECORD_BYTES, SPEC_LETTERS, bounded, check_depth

T = TypeVar("T", bound=Struct)


Text = Annotated[str, msgspec.Meta(max_length=SPEC_LETTERS)]
"""One choice, as `pdloss.specs` reads it."""


class Record(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every record: immutable, and strict about unknown keys when read."""

    sealed: ClassVar[bool] = False
    """Whether its file carries a digest, by which damage shows that still reads well, such as another digit."""


_SEAL = "content_sha256"
_CHECK = re.compile(rb'(.*),"crc32":"([0-9a-f]{8})"}', re.DOTALL)
"""A line of the log and, last, its checksum: enough for a line that nothing is computed from."""


class RunRecord(Record, frozen=True, kw_only=True):
    """``config.json`` of a run folder: every choice as text, and what it was made with."""

    sealed: ClassVar[bool] = True
    task: str
    data: str
    network: Text
    loss: Text
    degradation: Text
    steps: int
    batch: int
    crop: int
    lr: float
    schedule: Literal["cosine", "constant"]
    seed: int
    precision: Literal["bfloat16", "float32"]
    device: str
    scales: Literal["finest", "all"] = "finest"
    ema: float = 0.0
    accumulate: int = 1
    compile: bool = False
    init: str | None
    init_sha256: str | None = None
    """Of the file of weights that it began with."""
    valid: str | None = None
    degraded: str | None = None
    """Where the degraded photographs of pairs are; none where `degradation` made them."""
    valid_degraded: str | None = None
    skip_damaged: bool
    parameters: int
    """Trainable values of the network."""
    images: int
    data_fingerprint: str
    """SHA-256 over the names and contents of the training images: resuming on other data is refused."""
    weights: dict[str, str]
    """Pretrained files in use: name to SHA-256 and input convention."""
    versions: dict[str, str]
    machine: dict[str, str] = {}
    """What else the last bits depend on: processor, GPU, numbers of threads and of processes."""
    commit: str | None
    created: str


class ModelConfig(Record, frozen=True, kw_only=True):
    """``config.json`` of a model folder, such as a repository of the Hub: whose weights ``model.safetensors`` holds."""

    sealed: ClassVar[bool] = True
    made_by: str
    """Such as ``pdloss 0.2.0``."""
    network: Text
    task: str | None = None
    degradation: Text | None = None
    """What it was trained for."""
    crop: int | None = None
    loss: Text | None = None
    parameters: int
    licence: str
    """Of the weights."""


MODEL_WEIGHTS, MODEL_CONFIG, MODEL_CARD = MODEL_FILES = ("model.safetensors", "config.json", "README.md")
"""Of a model folder."""


def is_model_folder(place: Path) -> bool:
    """Returns whether a folder is one of a model, and not of a run, whose weights lie in a folder of their own."""
    return (place / MODEL_WEIGHTS).is_file() and not (place / "weights").is_dir()


class LogLine(Record, frozen=True, kw_only=True):
    """One line of ``log.jsonl``."""

    step: int
    seconds: float
    """Training time so far, over all sessions."""
    lr: float
    total: float
    terms: dict[str, float]
    """Each term's value, before its weight."""
    gradients: dict[str, float]
    """Each term's weighted gradient norm at the restored batch."""
    learners: dict[str, float] = {}
    """What terms that are themselves in training, such as a critic, say of their own step."""
    waiting: float = 0.0
    """Share of the time since the line before that was spent waiting for data."""
    valid: dict[str, float] = {}
    """Means over the photographs of ``--valid``, where a checkpoint was saved."""


class TrainedOn(Record, frozen=True, kw_only=True):
    """``photographs.json`` of a run folder: by which other pictures are compared with those trained on."""

    sealed: ClassVar[bool] = True
    images: dict[str, str]
    """Name to `pdloss.datasets.picture_hash`."""
    contents: dict[str, str] = {}
    """Name to the SHA-256 of its content; version 0.1.0 wrote none."""


class Metric(Record, frozen=True, kw_only=True):
    """How one score is to be read."""

    label: str
    unit: str = ""
    better: Literal["higher", "lower", "zero"]
    """Which values are better; "zero" where they have either sign, and those nearest to it are."""
    protocol: str
    """Colour space, rounding, border, network and version: what another must do to get the same number."""
    weights: dict[str, str] = {}
    """Pretrained files in use: name to SHA-256 and input convention."""


class ImageScores(Record, frozen=True, kw_only=True):
    """The scores of one picture: of the restored image, and of the degraded one it was made from."""

    name: str
    """File name of the target, with its suffix."""
    restored: dict[str, float]
    degraded: dict[str, float]
    restored_sha256: str | None = None
    """Of the PNG of the restored image, by which it is known again."""
    target_sha256: str | None = None
    """Of the target's pixels, by which it is known whatever its file is called."""


class SetScore(Record, frozen=True, kw_only=True):
    """The score of a whole set of pictures, such as FID."""

    value: float
    error: float | None = None
    """Standard error, where the metric has one."""
    note: str | None = None
    """Why the number is not to be trusted, such as "unreliable: 24 images for 2048 dimensions"."""


class Method(Record, frozen=True, kw_only=True):
    """Whose pictures were scored, where no run of ours made them: what the user said, and nothing else."""

    name: str
    loss: str | None = None
    """What it was trained with: a loss as in ``train --loss``, or words; None where it was not said."""
    degradation: str | None = None
    """What it restored from; None where it was not said."""


NOT_KNOWN = "not known: scored from files"
"""The degradation of scores where nobody said it."""


class Scores(Record, frozen=True, kw_only=True):
    """``scores/<set>.json``: one run, or one method, on one folder of photographs.

    The pictures stand beside it, as ``restored/<set>/<stem>.png`` and ``degraded/<set>/<stem>.png``.
    """

    sealed: ClassVar[bool] = True
    run: str
    set: str
    targets: str
    """Folder that holds the target images."""
    step: int
    degradation: str
    metrics: dict[str, Metric]
    images: list[ImageScores]
    seconds: float
    set_metrics: dict[str, Metric] = {}
    """How the scores of the whole set are to be read."""
    sets: dict[str, SetScore] = {}
    """The scores of all restored images together."""
    degraded_sets: dict[str, SetScore] = {}
    """Those of all degraded images together."""
    weights_sha256: str | None = None
    """Of the file of the network's weights."""
    targets_sha256: str | None = None
    """Over the names and contents of the target images."""
    method: Method | None = None
    """Of pictures that were scored from files."""


CEILING = 120.0
"""What counts for the infinite PSNR of equal images; one grey level in one value of 10^7 gives 118 dB."""


def equal_pairs(metric: Metric, values: Iterable[float]) -> list[bool]:
    """Returns of each value whether it stands for infinity: of a ratio in decibels, that both images were equal.

    Example:
        >>> equal_pairs(Metric(label="PSNR", unit="dB", better="higher", protocol=""), [31.5, 120.0])
        [False, True]
    """
    return [metric.unit == "dB" and value >= CEILING for value in values]


def write_record(path: Path, record: Record | Sequence[Record]) -> None:
    """Writes the record, or an array of several, as indented JSON, whole or not at all."""
    content = _spelled(msgspec.to_builtins(record))
    if isinstance(record, Record) and record.sealed:
        content[_SEAL] = _digest(content)
    text = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    write_bytes(path, text)


def read_record(path: Path, kind: type[T]) -> T:
    """Returns the record stored at `path`.

    Raises:
        RunError: If the file is missing, is not JSON, lacks a key or has an unknown one, or is not what was written.
    """
    try:
        data = utf8(bounded(path, RECORD_BYTES, "record"))
        check_depth(data)
        if not getattr(kind, "sealed", False):
            return msgspec.json.decode(data, type=kind, strict=False)
        content = msgspec.json.decode(data)
        seal = content.pop(_SEAL, None) if isinstance(content, dict) else None
        record = msgspec.convert(content, kind, strict=False)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist") from None
    except (ValueError, OSError) as error:  # msgspec's and Unicode's errors are ValueErrors
        raise RunError(f"{path} is not a {kind.__name__}: {error}") from None
    if seal is not None and seal != _digest(content):
        raise RunError(
            f"{path} is damaged or was edited: its content is not what was written, by its {_SEAL}; "
            "remove that line if you edited the file on purpose"
        )
    return record


def log_text(line: LogLine) -> bytes:
    """Returns a line of ``log.jsonl``, with its checksum and its end."""
    text = msgspec.json.encode(line)
    return text[:-1] + b',"crc32":"%08x"}\n' % zlib.crc32(text)


def read_log(path: Path) -> list[LogLine]:
    """Returns the whole lines of a ``log.jsonl``; a last line cut off by a crash is left out.

    Raises:
        RunError: If a whole line is not a log line, or not what was written.
    """
    if not path.exists():
        return []
    lines = []
    whole = utf8(bounded(path, RECORD_BYTES, "log")).rpartition(b"\n")[0]
    for number, text in enumerate(whole.splitlines(), start=1):
        checked = _CHECK.fullmatch(text)
        line = checked[1] + b"}" if checked else text
        try:
            if checked and int(checked[2], 16) != zlib.crc32(line):
                raise ValueError("it is not what was written, by its crc32")
            check_depth(line)
            lines.append(msgspec.json.decode(line, type=LogLine))
        except ValueError as error:  # msgspec's errors are such
            raise RunError(
                f"{path} is not a training log, or is damaged: line {number}: {error}; training does not need that "
                "line, which may be removed"
            ) from None
    return lines


def _digest(content: dict[str, Any]) -> str:
    """Returns the SHA-256 of what a record says, whatever the order and the spaces."""
    said = {key: value for key, value in content.items() if key != _SEAL}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return spelled(value)
    return value


def _spelled(value: Any) -> Any:
    """Returns the value with what JSON lacks as words: infinite numbers, as the PSNR of equal images, and odd names."""
    if isinstance(value, str):
        return value if value.isprintable() else _text(value)
    if isinstance(value, dict):
        return {_spelled(key): _spelled(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_spelled(inside) for inside in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
