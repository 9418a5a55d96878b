"""Which scores still stand: any change of what they were taken of, or of the pictures, makes them fall."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from pdloss.assets import sha256
from pdloss.evaluation.reuse import joined, lacking, picture_file, reusable, scores_file
from pdloss.records import ImageScores, Metric, Scores, SetScore, write_record
from pdloss.runs import RunFolder

PSNR = Metric(label="PSNR", better="higher", protocol="RGB")
LPIPS = Metric(label="LPIPS", better="lower", protocol="Alex", weights={"alex": "sha256 00"})
FID = Metric(label="FID", better="lower", protocol="whole")
ASKED = Scores(
    run="run", set="kodak", targets="/photographs", step=3, degradation="noise, seed 0", metrics={"psnr": PSNR},
    images=[], seconds=0, set_metrics={"fid": FID}, weights_sha256="aa", targets_sha256="bb",
)  # fmt: skip
NAMES = ["one.png", "two.jpg"]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run that was scored on two pictures."""
    folder = RunFolder(tmp_path / "run")
    images = []
    for name, written in zip(NAMES, ["one.png", "two.png"], strict=True):
        path = picture_file(folder, "kodak", written)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        images.append(ImageScores(name=name, restored={"psnr": 30.0}, degraded={}, restored_sha256=sha256(path)))
    scores = replace(ASKED, images=images, sets={"fid": SetScore(value=2.0)}, seconds=5.0)
    write_record(scores_file(folder, "kodak"), scores)
    return folder


def test_unchanged_scores_stand(folder: RunFolder) -> None:
    before = reusable(folder, replace(ASKED, run="renamed", targets="/moved"), NAMES)
    assert before is not None
    assert [image.restored for image in before.images] == [{"psnr": 30.0}] * 2
    assert lacking(before, ASKED) == set()


@pytest.mark.parametrize(
    "change",
    [{"weights_sha256": "ab"}, {"targets_sha256": "bc"}, {"degradation": "noise, seed 1"}, {"set": "other"}],
    ids=lambda change: next(iter(change)),
)
def test_scores_of_something_else_do_not_stand(folder: RunFolder, change: dict[str, str]) -> None:
    assert reusable(folder, replace(ASKED, **change), NAMES) is None


@pytest.mark.parametrize("names", [["one.png"], ["one.png", "two.png"], [*NAMES, "three.png"]])
def test_scores_of_other_images_do_not_stand(folder: RunFolder, names: list[str]) -> None:
    assert reusable(folder, ASKED, names) is None


def test_scores_without_their_pictures_do_not_stand(folder: RunFolder) -> None:
    path = picture_file(folder, "kodak", "two.png")
    assert path == folder.path / "restored" / "kodak" / "two.png"
    whole = path.read_bytes()
    path.write_bytes(b"another picture")
    assert reusable(folder, ASKED, NAMES) is None
    path.write_bytes(whole)
    assert reusable(folder, ASKED, NAMES) is not None
    path.unlink()
    assert reusable(folder, ASKED, NAMES) is None


def test_scores_from_before_pictures_had_hashes_do_not_stand(folder: RunFolder) -> None:
    before = reusable(folder, ASKED, NAMES)
    assert before is not None
    old = replace(before, images=[replace(image, restored_sha256=None) for image in before.images])
    write_record(scores_file(folder, "kodak"), old)
    assert reusable(folder, ASKED, NAMES) is None


def test_a_damaged_file_of_scores_does_not_stand(folder: RunFolder) -> None:
    scores_file(folder, "kodak").write_text('{"run": "run", "more": 1}')
    assert reusable(folder, ASKED, NAMES) is None


def test_metrics_that_are_new_or_taken_in_another_way_are_lacking(folder: RunFolder) -> None:
    before = reusable(folder, ASKED, NAMES)
    assert before is not None
    assert lacking(before, replace(ASKED, metrics={})) == set()
    assert lacking(before, replace(ASKED, metrics={"psnr": PSNR, "lpips": LPIPS})) == {"lpips"}
    assert lacking(before, replace(ASKED, metrics={"psnr": replace(PSNR, protocol="luma")})) == {"psnr"}
    assert lacking(before, replace(ASKED, set_metrics={"fid": replace(FID, weights={"i": "sha256 1"})})) == {"fid"}


def test_joined_scores_have_both_and_the_new_ones_count() -> None:
    def scores(**changes: object) -> Scores:
        return replace(ASKED, **changes)

    old = scores(
        metrics={"psnr": PSNR, "lpips": LPIPS},
        images=[ImageScores(name="one.png", restored={"psnr": 30.0, "lpips": 0.2}, degraded={"psnr": 20.0})],
        sets={"fid": SetScore(value=2.0)},
        degraded_sets={"fid": SetScore(value=9.0)},
        seconds=5.0,
    )
    new = scores(
        metrics={"lpips": replace(LPIPS, protocol="Squeeze")},
        images=[ImageScores(name="one.png", restored={"lpips": 0.1}, degraded={"lpips": 0.4}, target_sha256="dd")],
        set_metrics={"kid": FID},
        sets={"kid": SetScore(value=1.0)},
        seconds=1.0,
    )
    both = joined(old, new)
    assert both.images == [
        ImageScores(
            name="one.png",
            restored={"psnr": 30.0, "lpips": 0.1},
            degraded={"psnr": 20.0, "lpips": 0.4},
            restored_sha256=None,
            target_sha256="dd",
        )
    ]
    assert both.metrics == {"psnr": PSNR, "lpips": replace(LPIPS, protocol="Squeeze")}
    assert both.set_metrics.keys() == both.sets.keys() == {"fid", "kid"}
    assert both.degraded_sets == {"fid": SetScore(value=9.0)}
    assert both.seconds == 6.0
    with pytest.raises(ValueError):
        joined(old, scores(images=[]))
