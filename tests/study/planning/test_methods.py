"""Whose pictures a study compares."""

from pathlib import Path

import msgspec
import pytest

from pdloss.errors import ImageError, RunError, SpecError
from pdloss.records import Scores, read_record, write_record
from pdloss.study.planning.methods import compared
from tests.report.folders import flat, write_picture, write_pictures, write_run

VALUES = {"psnr": [1.0, 2.0, 3.0]}
NAMES = ("one.png", "two.png", "three.png")


def scored(folder: Path, targets: Path, names: tuple[str, ...] = NAMES, set_name: str = "kodak") -> Path:
    """A run with restored pictures; the targets have the digests 0, 1 and 2 in the order of the names."""
    write_run(folder, VALUES, images=names, set_name=set_name, targets=str(targets))
    file = folder / "scores" / f"{set_name}.json"
    scores = read_record(file, Scores)
    images = [msgspec.structs.replace(image, target_sha256=str(i)) for i, image in enumerate(scores.images)]
    write_record(file, msgspec.structs.replace(scores, images=images))
    write_pictures(folder, "restored", {name: flat(9) for name in names}, set_name)
    for name in names:
        write_picture(targets / name, flat(7))
    return folder


def test_scored_folders_bring_their_names_their_pictures_and_the_targets(tmp_path: Path) -> None:
    ours = scored(tmp_path / "ours", tmp_path / "photos")
    theirs = scored(tmp_path / "theirs", tmp_path / "copies", ("a.png", "b.png", "c.png"), "mine")
    found = compared([str(ours), f"bsrgan={theirs}"], None)
    assert found.methods == {
        "ours": {Path(name).stem: ours / "restored" / "kodak" / name for name in NAMES},
        "bsrgan": {
            stem: theirs / "restored" / "mine" / f"{own}.png"
            for stem, own in (("one", "a"), ("two", "b"), ("three", "c"))
        },
    }
    assert found.target == {Path(name).stem: tmp_path / "photos" / name for name in NAMES}


def test_folders_of_pictures_stand_beside_scored_ones(tmp_path: Path) -> None:
    ours = scored(tmp_path / "ours", tmp_path / "photos")
    write_picture(tmp_path / "plain" / "one.png", flat(1))
    found = compared([str(ours), f"other={tmp_path / 'plain'}"], tmp_path / "photos")
    assert found.methods["other"] == tmp_path / "plain"
    assert found.target == tmp_path / "photos"


def test_what_cannot_be_had_is_named_with_its_cure(tmp_path: Path) -> None:
    ours = scored(tmp_path / "ours", tmp_path / "photos")
    with pytest.raises(SpecError, match="--target is missing"):
        compared([f"a={tmp_path / 'photos'}", f"b={tmp_path / 'photos'}"], None)
    with pytest.raises(SpecError, match="two methods are called 'ours'"):
        compared([str(ours), f"ours={tmp_path / 'photos'}"], None)
    with pytest.raises(RunError, match="no set in common"):
        compared([str(ours), str(write_run(tmp_path / "c", VALUES, set_name="set14"))], None)
    (tmp_path / "photos" / "two.png").unlink()
    with pytest.raises(ImageError, match=r"two\.png, which ours was scored with, is no longer there; say where"):
        compared([str(ours)], None)
    (ours / "restored" / "kodak" / "one.png").unlink()
    with pytest.raises(ImageError, match=r"one\.png, which ours was scored with, .* score it again"):
        compared([str(ours)], None)
