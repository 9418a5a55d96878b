"""Runs with everything that a report can show."""

from pathlib import Path

import numpy as np

from pdloss.records import Metric, SetScore
from tests.report.folders import METRICS, flat, write_log, write_picture, write_pictures, write_run

NAMES = tuple(f"{i}.png" for i in range(8))
INPUT = {"psnr": [20.0 + i for i in range(8)], "lpips": [0.5 + 0.01 * i for i in range(8)]}
SMOOTH = {"psnr": [29.0 + i for i in range(8)], "lpips": [0.30 + 0.01 * i for i in range(8)]}
SHARP = {"psnr": [28.5 + 0.9 * i for i in range(8)], "lpips": [0.10 + 0.02 * i for i in range(8)]}
SET_METRICS = {
    "fid": Metric(label="FID", better="lower", protocol="Inception, whole images"),
    "kid": Metric(label="KID", better="lower", protocol="unbiased"),
}


def textured(level: int, seed: int, height: int = 150, width: int = 210) -> np.ndarray:
    """A grey picture with a pattern that differs between seeds, strongest around one place."""
    picture = flat(level, height, width).astype(int)
    rows, columns = np.mgrid[:height, :width]
    hill = 60 * np.exp(-((rows - 80) ** 2 + (columns - 120) ** 2) / 900)
    picture += (hill * np.sin((rows + seed * columns) / 3))[..., None].astype(int)
    return picture.clip(0, 255).astype(np.uint8)


def write_full_runs(folder: Path) -> list[Path]:
    """Writes two runs with everything: scores of images and of the set, logs, pictures, targets."""
    targets, folders = folder / "targets", []
    weights = {"vgg16": "0123456789abcdef" * 4 + ", RGB in [0, 1]"}
    for place, (name, scores, loss) in enumerate((("smooth", SMOOTH, "l1"), ("sharp", SHARP, "l1 + 0.01*pdl"))):
        run = write_run(
            folder / name, scores, INPUT, images=NAMES, targets=str(targets), loss=loss, weights=weights,
            metrics=METRICS, set_metrics=SET_METRICS,
            sets={"fid": SetScore(value=80.0 - place, note="unreliable: 8 images"),
                  "kid": SetScore(value=0.02 - 0.005 * place, error=0.004)},
        )  # fmt: skip
        write_log(run, ["l1"] if loss == "l1" else ["l1", "pdl"], critics=[] if loss == "l1" else ["pdl"])
        write_pictures(run, "restored", {n: textured(110, place + 1 + i) for i, n in enumerate(NAMES)})
        write_pictures(run, "degraded", {n: textured(90, 7 + i) for i, n in enumerate(NAMES)})
        folders.append(run)
    for i, name in enumerate(NAMES):
        write_picture(targets / name, textured(120, 3 + i))
    return folders
