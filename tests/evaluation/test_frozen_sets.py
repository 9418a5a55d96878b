"""Frozen sets: the same images as evaluation makes, told apart from any other by their hashes."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pdloss.datasets import Pairs, Photographs
from pdloss.degradations import Downscale, parse
from pdloss.errors import ImageError, RunError, SpecError
from pdloss.evaluation import evaluate
from pdloss.evaluation.frozen_sets import MANIFEST, FrozenPairs, Manifest, freeze
from pdloss.images import read_image, write_image
from pdloss.ops.color import quantize
from pdloss.records import read_record
from pdloss.specs.trust import TYPED
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


def stop(done: int, total: int) -> None:
    """Breaks off, as Ctrl-C would, after the first image."""
    raise KeyboardInterrupt


def test_a_finished_set_is_not_written_over_but_an_unfinished_one_is(
    photographs: Photographs, frozen: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="already holds a frozen set"):
        freeze(photographs, CHAIN, frozen)
    with pytest.raises(KeyboardInterrupt):
        freeze(photographs, CHAIN, tmp_path / "new", progress=stop)
    assert (tmp_path / "new" / "photo0.png").exists()
    with pytest.raises(RunError, match=r"manifest\.json does not exist"):
        FrozenPairs(tmp_path / "new", photographs)
    freeze(photographs, "noise", tmp_path / "new")
    assert len(FrozenPairs(tmp_path / "new", photographs)) == 2
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [MANIFEST, "photo0.png", "photo1.png"]


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


class ThreadsCounted:
    """Adds a grey level for every thread: the last bits of Fourier transforms follow their number too."""

    def __call__(self, clean: Tensor, generator: torch.Generator) -> Tensor:
        return clean + torch.get_num_threads() / 255


def test_two_people_get_the_same_hashes_whatever_their_threads_folders_and_dates(tmp_path: Path) -> None:
    one = photographs_in(tmp_path / "one" / "photographs", height=97, width=83)
    other = photographs_in(tmp_path / "elsewhere", height=97, width=83)
    (other / "photo0.png").touch()
    threads, manifests = torch.get_num_threads(), []
    for count, folder in ((1, one), (3, other)):
        torch.set_num_threads(count)
        counted = "tests.evaluation.test_frozen_sets:ThreadsCounted"
        chain = f"blur(support=9..31) | noise(sigma=0..0.1) | jpeg(quality=10..90) | {counted}"
        manifests.append(freeze(Photographs(folder), chain, tmp_path / f"set{count}", seed=2, trusted=TYPED))
        assert torch.get_num_threads() == count
    torch.set_num_threads(threads)
    assert manifests[0] == manifests[1]
    records = [(tmp_path / f"set{count}" / MANIFEST).read_bytes() for count in (1, 3)]
    assert records[0] == records[1]


def test_other_photographs_beside_an_image_and_damaged_ones_leave_it_as_it_is(tmp_path: Path) -> None:
    data = photographs_in(tmp_path / "photographs", count=3)
    whole = {image.target: image for image in freeze(Photographs(data), CHAIN, tmp_path / "whole").images}
    write_image(data / "before_all.png", torch.rand(3, 30, 30))
    (data / "photo1.png").write_bytes((data / "photo1.png").read_bytes()[:100])
    some = freeze(Photographs(data, skip_damaged=True), CHAIN, tmp_path / "some").images
    assert [image.target for image in some] == ["before_all.png", "photo0.png", "photo2.png"]
    assert [whole[image.target] for image in some[1:]] == some[1:]


def test_rows_and_columns_that_the_factor_leaves_over_are_cut_off_below_and_at_the_right(
    photographs: Photographs, tmp_path: Path, generator: torch.Generator
) -> None:
    for factor, (height, width) in {3: (39, 48), 8: (40, 48)}.items():
        out = tmp_path / f"x{factor}"
        freeze(photographs, f"downscale(factor={factor})", out)
        for pair, clean in zip(FrozenPairs(out, photographs), photographs, strict=True):
            target = clean[:, :height, :width].float() / 255
            assert torch.equal(pair.target, target)
            assert torch.equal(pair.degraded, Downscale(factor=factor)(target, generator))


def test_a_file_that_does_not_fit_is_named_before_any_work(photographs: Photographs, frozen: Path) -> None:
    write_image(frozen / "photo1.png", torch.rand(3, 20, 25))
    with pytest.raises(RunError, match=r"photo1\.png is changed: make the set anew, or fetch it again"):
        FrozenPairs(frozen, photographs)
    (frozen / "photo1.png").unlink()
    with pytest.raises(RunError, match=r"photo1\.png is missing: make the set anew"):
        FrozenPairs(frozen, photographs)


def test_images_that_the_manifest_does_not_name_are_refused(photographs: Photographs, frozen: Path) -> None:
    (frozen / "._photo0.png").write_bytes(b"what a file manager leaves")
    (frozen / "README.txt").write_text("what this is")
    assert len(FrozenPairs(frozen, photographs)) == 2
    write_image(frozen / "photo9.png", torch.rand(3, 20, 25))
    with pytest.raises(
        RunError, match=r"holds images that its manifest\.json does not name: photo9\.png; take them out"
    ):
        FrozenPairs(frozen, photographs)


def test_a_manifest_that_was_damaged_or_meddled_with_is_refused(photographs: Photographs, frozen: Path) -> None:
    whole = (frozen / MANIFEST).read_text()
    unsealed = re.sub(r',\s*"content_sha256": "[0-9a-f]+"', "", whole)
    digest = read_record(frozen / MANIFEST, Manifest).images[0].sha256
    for text, said in (
        (whole[:200], r"manifest\.json is not a Manifest"),
        (whole.replace('"seed"', '"sead"'), r"manifest\.json is not a Manifest: .*sead"),
        (whole.replace(digest, "0" * 64), r"manifest\.json is damaged or was edited"),
        (unsealed.replace(digest, "0" * 64), r"photo0\.png is changed"),
    ):
        (frozen / MANIFEST).write_text(text)
        with pytest.raises(RunError, match=said):
            FrozenPairs(frozen, photographs)


def test_photographs_and_other_files_are_never_written_over(photographs: Photographs, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in photographs.folder.iterdir()}
    with pytest.raises(RunError, match=r"holds other files \(photo0\.png, photo1\.png\); choose another --out"):
        freeze(photographs, "noise", photographs.folder)
    assert before == {path: path.read_bytes() for path in photographs.folder.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        freeze(photographs, "noise", tmp_path / "new", progress=stop)
    (tmp_path / "new" / "mine.png").write_bytes(b"added since")
    with pytest.raises(RunError, match=r"holds other files \(mine\.png\)"):
        freeze(photographs, "noise", tmp_path / "new")


def test_what_another_folder_left_unfinished_is_removed(photographs: Photographs, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        freeze(photographs, "noise", tmp_path / "set", progress=stop)
    (tmp_path / "set" / ".photo1.png.k3j_x0q9.png").write_bytes(b"half a file of a process that was killed")
    data = tmp_path / "others"
    write_image(data / "other.png", torch.rand(3, 8, 8))
    freeze(Photographs(data), "noise", tmp_path / "set")
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [MANIFEST, "other.png"]


def test_a_photograph_of_which_no_pixels_would_be_left_is_named(photographs: Photographs, tmp_path: Path) -> None:
    said = r"photo0\.png is 50x41 pixels, too small for downscale\(factor=8\) \| downscale\(factor=8\): each side needs"
    with pytest.raises(ImageError, match=rf"{said} at least 64; leave it out, or choose a smaller factor"):
        freeze(photographs, "downscale(factor=8) | downscale(factor=8)", tmp_path / "none")
    assert not (tmp_path / "none").exists()
