"""Pictures, safetensors files and JSON records, mutated: cut short, overwritten, spliced, with extreme numbers."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import PIL.Image
import torch
from safetensors.torch import save

from pdloss.cli import main
from pdloss.files.tensors import read_tensors, write_tensors
from pdloss.picture_files.reading import read
from pdloss.records import LogLine, RunRecord, Scores, log_text, read_log, read_record
from tests.fuzz.findings import Findings, no_hang

EXTREME = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\0\0\0\x80"]
RECORDS = (RunRecord, Scores)


def pictures() -> dict[str, bytes]:
    """Returns a sound file of every kind that people have."""
    rng = np.random.default_rng(0)
    image = PIL.Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    deep = PIL.Image.fromarray(rng.integers(0, 65536, (24, 32), dtype=np.uint16))
    exif = PIL.Image.Exif()
    exif[274], exif[305] = 6, "a program"
    wanted: list[tuple[str, PIL.Image.Image, str, dict[str, object]]] = [
        ("rgb.png", image, "PNG", {"exif": exif}), ("deep.png", deep, "PNG", {}),
        ("palette.png", image.quantize(16), "PNG", {}), ("baseline.jpg", image, "JPEG", {"exif": exif}),
        ("progressive.jpg", image, "JPEG", {"progressive": True}), ("cmyk.jpg", image.convert("CMYK"), "JPEG", {}),
        ("plain.tif", image, "TIFF", {}), ("packed.tif", image, "TIFF", {"compression": "tiff_lzw"}),
        ("deflated.tif", deep, "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("lossy.webp", image, "WEBP", {"exif": exif}), ("lossless.webp", image, "WEBP", {"lossless": True}),
    ]  # fmt: skip
    made = {}
    for name, picture, kind, options in wanted:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        made[name] = file.getvalue()
    return made


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Returns the bytes after one to three mutations, more often near the beginning, where headers are."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        length = len(changed)
        place = chance.randrange(max(1, length if chance.random() < 0.5 else min(length, 200)))
        match chance.randrange(7):
            case 0:
                changed[place:] = b""
            case 1:
                changed[place : place + 4] = chance.choice(EXTREME)
            case 2:
                changed[place : place + 8] = chance.randbytes(8)
            case 3:
                changed[place:place] = changed[place : place + chance.randrange(1, 64)] * chance.choice([1, 2, 50])
            case 4:
                changed[place : place + chance.randrange(1, 32)] = b""
            case 5:
                changed[place : place + 32] = other[place : place + 32]
            case _:
                changed[place : place + 1] = bytes([chance.randrange(256)])
    return bytes(changed)


def mutate_pictures(folder: Path, count: int, seed: int) -> Findings:
    """Reads mutated pictures: each is refused in a sentence, or gives values of a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, sound, findings = random.Random(seed), pictures(), Findings()
    for number in range(count):
        name, other = sorted(sound)[number % len(sound)], chance.choice(sorted(sound))
        file = folder / f"{number:05d}-{name}"
        file.write_bytes(mutated(sound[name], sound[other], chance))
        findings.attempt(file.name, lambda file=file: read(file).values, _is_picture)  # type: ignore[misc]
    return findings


def _is_picture(found: object) -> bool:
    if not isinstance(found, np.ndarray) or not found.size:
        return False
    if found.ndim == 3:
        return bool(found.shape[2] == 3 and found.dtype == np.uint8)
    return found.ndim == 2 and bool(np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1)


def mutate_headers(folder: Path, record: Path, scores: Path, count: int, seed: int) -> Findings:
    """Reads mutated safetensors files, with and without a digest, records and logs."""
    chance, findings = random.Random(seed), Findings()
    tensors = {"head.weight": torch.arange(24.0).reshape(2, 3, 4), "tail.bias": torch.ones(3)}
    write_tensors(folder / "sealed", tensors, {"network": "edsr(blocks=1)", "step": "3"})
    sealed = read_tensors(folder / "sealed")
    line = LogLine(step=1, seconds=1.5, lr=0.1, total=0.5, terms={"l1": 0.5}, gradients={"l1": 0.1})
    log = log_text(line) + log_text(msgspec.structs.replace(line, step=2))
    (folder / "log").write_bytes(log)
    lines = read_log(folder / "log")
    kept = (read_record(record, RunRecord), read_record(scores, Scores))
    kinds: list[tuple[bytes, Callable[[Path], object], Callable[[object], bool]]] = [
        ((folder / "sealed").read_bytes(), read_tensors, lambda found: _same_tensors(found, sealed)),
        (save(tensors, {"network": "edsr"}), read_tensors, lambda _: True),
        (record.read_bytes(), lambda file: read_record(file, RunRecord), lambda found: found == kept[0]),
        (scores.read_bytes(), lambda file: read_record(file, Scores), lambda found: found == kept[1]),
        (log, read_log, lambda found: isinstance(found, list) and all(each in lines for each in found)),
    ]
    for number in range(count):
        data, reader, same = kinds[number % len(kinds)]
        file = folder / f"{number:05d}"
        file.write_bytes(mutated(data, chance.choice(kinds)[0], chance))
        findings.attempt(f"{file.name} of {reader}", lambda file=file, reader=reader: reader(file), same)  # type: ignore[misc]
    return findings


def _same_tensors(found: object, expected: object) -> bool:
    one, other = found.tensors, expected.tensors  # type: ignore[attr-defined]
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def restored_in_one_batch(folder: Path, run: Path, out: Path) -> int:
    """Returns the exit status of restoring a folder of mutated pictures: what is sound in it is restored."""
    with no_hang():
        return main(["restore", str(folder), "--model", str(run), "--out", str(out), "--device", "cpu"])
