"""Means, intervals and differences of a model's scores."""

import numpy as np
import pytest

from pdloss.models.scores import set_scores
from pdloss.records import ImageScores, Metric, Scores


def scores(restored: list[float], degraded: list[float], names: str = "abcd") -> Scores:
    return Scores(
        run="m", set="s", targets="t", step=1, degradation="noise", seconds=0.0,
        metrics={"psnr": Metric(label="PSNR", unit="dB", better="higher", protocol="")},
        images=[
            ImageScores(name=name, restored={"psnr": one}, degraded={"psnr": other})
            for name, one, other in zip(names, restored, degraded, strict=True)
        ],
    )  # fmt: skip


def test_gains_are_paired_by_image_whatever_the_order() -> None:
    own = scores([31.0, 32.0, 33.0, 34.0], [30.0, 30.5, 32.0, 33.5])
    other = scores([33.5, 32.0, 31.5, 30.0], [0.0] * 4, names="dcba")
    (row,) = set_scores(own, "kodak24", "q10", {"other": other}).scores
    assert row.value == 32.5 and row.low < 32.5 < row.high
    assert row.values == {"input": 31.5, "other": 31.75}
    gain, low, high = row.against["input"]
    assert gain == pytest.approx(1.0) and 0.5 <= low < 1.0 < high <= 1.5
    against, low, high = row.against["other"]
    assert against == pytest.approx(np.mean([1.0, 0.5, 1.0, 0.5])) and 0.5 <= low < high <= 1.0


def test_a_method_of_other_images_is_left_out() -> None:
    own = scores([31.0, 32.0], [30.0, 30.5], names="ab")
    (row,) = set_scores(own, "s", "p", {"other": scores([1.0, 2.0], [0.0, 0.0], names="xy")}).scores
    assert list(row.against) == ["input"]
