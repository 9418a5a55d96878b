"""Frozen sets: the same images as evaluation makes, told apart from any other by their hashes."""

from pathlib import Path

import pytest
import torch

from pdloss.datasets import Pairs, Photographs
from pdloss.degradations import parse
from pdloss.errors import RunError, SpecError
from pdloss.evaluation import evaluate
from pdloss.frozen_sets import MANIFEST, FrozenPairs, Manifest, freeze
from pdloss.images import read_image, write_image
from pdloss.ops.color import quantize
from pdloss.records import read_record
from tests.runs_for_tests import photographs_in, trained_run

CHAIN = "blur(support=3..7) | downscale(factor=2) | noise(sigma=0..0.1)"


@pytest.fixture
def photographs(tmp_path: Path) -> Photographs:
    """Two small pictures, of which a row is left over by the factor 2."""
    return Photographs(photographs_in(tmp_path / "photographs", height=41))


@pytest.fixture
def frozen(photographs: Photographs, tmp_path: Path) -> Path:
    """A set of them."""
    freeze(photographs, CHAIN, tmp_path / "frozen", seed=7)
    return tmp_path / "frozen"


def test_holds_what_evaluation_with_that_seed_would_make(photographs: Photographs, frozen: Path) -> None:
    made, pairs = FrozenPairs(frozen, photographs), Pairs(photographs, parse(CHAIN), seed=7)
    assert len(made) == len(pairs) == 2
    for index in range(2):
        assert torch.equal(made[index].degraded, quantize(pairs[index].degraded))
        assert torch.equal(made[index].target, pairs[index].target)
        assert made[index].target.shape[1:] == (40, 50)


def test_the_manifest_says_what_each_image_drew(photographs: Photographs, frozen: Path) -> None:
    manifest = read_record(frozen / MANIFEST, Manifest)
    assert [image.target for image in manifest.images] == photographs.names
    assert manifest.degradation == parse(CHAIN).in_full()
    assert "jpeg" in manifest.codec.lower()
    drawn = [image.degradation for image in manifest.images]
    assert len(set(drawn)) == 2
    for text in drawn:
        assert ".." not in text
        assert parse(text).in_full() == text


def test_freezing_again_gives_the_same_hashes(photographs: Photographs, frozen: Path, tmp_path: Path) -> None:
    again = freeze(photographs, CHAIN, tmp_path / "again", seed=7)
    assert again.images == read_record(frozen / MANIFEST, Manifest).images
    assert freeze(photographs, CHAIN, tmp_path / "other", seed=8).images != again.images


def test_a_changed_or_missing_file_is_refused(photographs: Photographs, frozen: Path) -> None:
    write_image(frozen / "photo0.png", read_image(frozen / "photo0.png").flip(1))
    with pytest.raises(RunError, match=r"photo0\.png is changed: make the set anew"):
        FrozenPairs(frozen, photographs)[0]
    (frozen / "photo0.png").unlink()
    with pytest.raises(RunError, match=r"photo0\.png is missing"):
        FrozenPairs(frozen, photographs)[0]


def test_other_photographs_are_refused(photographs: Photographs, frozen: Path) -> None:
    path = photographs.folder / "photo1.png"
    write_image(path, read_image(path).flip(2))
    with pytest.raises(RunError, match=r"photo1\.png is not the photograph that .*photo1\.png was made from"):
        FrozenPairs(frozen, Photographs(photographs.folder))[1]
    write_image(photographs.folder / "more.png", torch.rand(3, 8, 8))
    with pytest.raises(RunError, match=r"other photographs than .*: only one of them has more\.png"):
        FrozenPairs(frozen, Photographs(photographs.folder))


def test_a_finished_set_is_not_written_over_but_an_unfinished_one_is(photographs: Photographs, frozen: Path) -> None:
    with pytest.raises(RunError, match="already holds a frozen set"):
        freeze(photographs, CHAIN, frozen)
    (frozen / MANIFEST).unlink()
    with pytest.raises(RunError, match=r"manifest\.json does not exist"):
        FrozenPairs(frozen, photographs)
    freeze(photographs, "noise", frozen)
    assert len(FrozenPairs(frozen, photographs)) == 2


def test_only_rgb_can_be_frozen(photographs: Photographs, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="makes 1 planes"):
        freeze(photographs, "mosaic(layout='plane')", tmp_path / "plane")


def test_evaluation_restores_the_frozen_images(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs")
    run = trained_run(tmp_path / "run", data)
    freeze(Photographs(data), "noise(sigma=0.2)", tmp_path / "frozen", seed=3)
    scores = evaluate(run, data, metric_names=["psnr"], degraded=tmp_path / "frozen").scores
    assert "noise(sigma=0.2, clip=True), seed 3, frozen as " in scores.degradation
    stored = [
        (folder / "photo0.png").read_bytes() for folder in (tmp_path / "frozen", run / "degraded" / "photographs")
    ]
    assert stored[0] == stored[1]
    with pytest.raises(SpecError, match="has no effect on the frozen set"):
        evaluate(run, data, metric_names=["psnr"], degraded=tmp_path / "frozen", degradation="noise")
