"""``pdloss probe``, as typed."""

import pytest

from pdloss.cli import main

SMALL = ["--data", "deadleaves(images=1, size=32)", "--size", "32", "--images", "1"]


def test_prints_every_pattern_names_blind_spots_and_writes_the_plot(capsys, tmp_path):
    assert main(["probe", "steerable", *SMALL, "--out", str(tmp_path / "seen.svg")]) == 0
    printed = capsys.readouterr().out
    for words in ("steerable", "grating 1/2 at 45°", "chroma shuffle 4x4", "blind spots, below 0.25: "):
        assert words in printed
    assert (tmp_path / "seen.svg").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "features"),
        (["steerable", "--size", "8"], "--size 8 at least 32"),
        (["steerable", "--amplitude", "1"], "--amplitude 1.0 must be above 0"),
        (["steerable", "--out", "plot.txt"], "--out plot.txt must end in one of .png, .pdf, .svg"),
        (["vgg99.relu1"], "vgg99"),
    ],
)
def test_says_what_is_wrong(capsys, words, said):
    assert main(["probe", *words]) != 0
    assert said in capsys.readouterr().err
