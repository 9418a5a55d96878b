"""Small run folders with scores, logs and pictures, written as training and evaluation write them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pdloss.records import ImageScores, LogLine, Metric, RunRecord, Scores, SetScore, write_record
from pdloss.report.sources import Comparison, read_comparison

PSNR = Metric(label="PSNR", unit="dB", better="higher", protocol="RGB, rounded to 8 bits")
LPIPS = Metric(label="LPIPS", better="lower", protocol="version 0.1, AlexNet")
METRICS = {"psnr": PSNR, "lpips": LPIPS}
IMAGES = ("one.png", "two.png", "three.png")

Picture = np.ndarray
Values = Mapping[str, Sequence[float]]

PLACES = {"l1": (30.0, 0.4), "pdl-1": (29.0, 0.2), "pdl-2": (27.0, 0.1), "ctx": (28.0, 0.3)}
WEIGHTS = {"l1": "l1", "pdl-1": "l1 + 0.1*pdl", "pdl-2": "l1 + 0.2*pdl", "ctx": "l1 + 0.1*contextual"}
"""PSNR and LPIPS of four runs, and their losses."""


def write_run(
    folder: Path,
    restored: Values,
    degraded: Values | None = None,
    *,
    set_name: str = "kodak",
    images: Sequence[str] = IMAGES,
    metrics: Mapping[str, Metric] = METRICS,
    degradation: str = "noise(sigma=0.1), seed 0",
    step: int = 100,
    targets: str = "gone",
    set_metrics: Mapping[str, Metric] | None = None,
    sets: Mapping[str, SetScore] | None = None,
    **record: object,
) -> Path:
    """Writes ``config.json`` and ``scores/<set>.json``; the values are by metric, one per image."""
    write_record(folder / "config.json", run_record(**record))
    scores = [
        ImageScores(
            name=name,
            restored={key: values[i] for key, values in restored.items()},
            degraded={key: values[i] for key, values in (degraded or {}).items()},
        )
        for i, name in enumerate(images)
    ]
    write_record(
        folder / "scores" / f"{set_name}.json",
        Scores(
            run=folder.name,
            set=set_name,
            targets=targets,
            step=step,
            degradation=degradation,
            metrics={key: metrics[key] for key in restored},
            images=scores,
            seconds=1.0,
            set_metrics=dict(set_metrics or {}),
            sets=dict(sets or {}),
        ),
    )
    return folder


def run_record(**changes: object) -> RunRecord:
    """Returns the record of a short denoising run."""
    usual = {
        "task": "denoise",
        "data": "photographs",
        "network": "edsr(blocks=1)",
        "loss": "l1",
        "degradation": "noise(sigma=0.1)",
        "steps": 100,
        "batch": 2,
        "crop": 16,
        "lr": 1e-4,
        "schedule": "cosine",
        "seed": 0,
        "precision": "float32",
        "device": "cpu",
        "init": None,
        "skip_damaged": False,
        "parameters": 1234567,
        "images": 3,
        "data_fingerprint": "0" * 64,
        "weights": {},
        "versions": {},
        "commit": None,
        "created": "2026-01-02T03:04:05+00:00",
    }
    return RunRecord(**{**usual, **changes})


def write_pictures(folder: Path, kind: str, pictures: Mapping[str, Picture], set_name: str = "kodak") -> None:
    """Writes ``<kind>/<set>/<name>.png`` for every image name."""
    for name, pixels in pictures.items():
        write_picture(folder / kind / set_name / Path(name).with_suffix(".png"), pixels)


def write_picture(path: Path, pixels: Picture) -> None:
    """Writes one picture, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_log(folder: Path, terms: Sequence[str], lines: int = 40, critics: Sequence[str] = ()) -> None:
    """Writes ``log.jsonl`` with falling terms, and critics that learn."""
    import msgspec

    logged = [
        LogLine(
            step=10 * (i + 1),
            seconds=float(i),
            lr=1e-4 * (1 - i / lines),
            total=1.0 / (i + 1),
            terms=dict.fromkeys(terms, 1.0 / (i + 1)),
            gradients=dict.fromkeys(terms, 0.1 + 0.01 * (i % 3)),
            learners=dict.fromkeys(critics, 1.4 - 0.01 * i),
        )
        for i in range(lines)
    ]
    (folder / "log.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in logged))


def flat(level: int, height: int = 40, width: int = 60) -> Picture:
    """Returns a grey picture."""
    return np.full((height, width, 3), level, np.uint8)


def runs_at(folder: Path, degraded: tuple[float, float] | None = None) -> Comparison:
    """Runs of three losses, at known places of the plane of PSNR and LPIPS."""
    start = {"psnr": [degraded[0]] * 3, "lpips": [degraded[1]] * 3} if degraded else None
    return read_comparison(
        [
            write_run(folder / name, {"psnr": [x - 1, x, x + 1], "lpips": [y] * 3}, start, loss=WEIGHTS[name])
            for name, (x, y) in PLACES.items()
        ]
    )
