"""Folders that hold pairs are known by their names, and photographs that happen to be called alike are not."""

import pytest

from pdloss.picture_files.layouts import pairing

PAIRS = {
    "gopro": (["t/s1/blur/1.png", "t/s1/sharp/1.png", "t/s2/blur/1.png", "t/s2/sharp/1.png"], "*/*/sharp", "*/*/blur"),
    "one scene": (["s1/blur/1.png", "s1/blur_gamma/1.png", "s1/sharp/1.png"], "s1/sharp", "s1/blur"),
    "input and target": (["input/a/1.png", "target/a/1.jpg"], "target", "input"),
    "groundtruth": (["input/1.png", "groundtruth/1.png"], "groundtruth", "input"),
    "scales": (["LR/0001x4.png", "HR/0001.png"], "HR", "LR"),
    "LR_bicubic": (["HR/0001.png", "LR_bicubic/X4/0001x4.png", "LR_bicubic/0001x4.png"], "HR", "LR_bicubic"),
    "realsr": (["c/1_HR.png", "c/1_LR4.png"], "*/*_HR.png", "*/*_LR4.png"),
    "sidd": (["d/1/GT_SRGB_010.PNG", "d/1/NOISY_SRGB_010.PNG"], "*/*/GT*.PNG", "*/*/NOISY*.PNG"),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_known_layouts_are_known(kind: str) -> None:
    names, clean, degraded = PAIRS[kind]
    assert pairing(names) == (clean, degraded)


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "b.png"],
        ["sharp/a.png", "sharp/b.png"],
        ["rain/a.png", "clean/b.png"],  # not the same pictures
        ["input_1.png", "target_2.png"],
        ["blurry night.png", "sharp dressed man.png"],
        ["blur/1.png", "noise/1.png"],
        ["train/0001.png", "valid/0001.png"],
        ["hr.png", "targets.png"],
    ],
)
def test_other_folders_are_not_taken_for_pairs(names: list[str]) -> None:
    assert pairing(names) is None
