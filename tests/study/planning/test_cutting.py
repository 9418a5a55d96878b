"""The same crop of the target and of every method, in files that do not tell which is which."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pdloss.picture_files import read_uint8
from pdloss.records import read_record
from pdloss.study.folder import StudyFolder
from pdloss.study.planning import crops
from pdloss.study.planning.design import design
from pdloss.study.records import StudyDesign
from tests.study.studies_for_tests import SMALL, write_folders


def test_crops_are_cut_alike_from_all_and_their_hashes_recorded(study: StudyFolder, tmp_path: Path) -> None:
    source = study.path.parent / "pictures"
    for image in study.design.images:
        for name in ("target", *study.design.methods):
            whole = np.asarray(Image.open(source / name / image.target))
            data = (study.path / "crops" / image.files[name]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == image.sha256[image.files[name]]
            cut = np.asarray(Image.open(study.path / "crops" / image.files[name]))
            assert np.array_equal(cut, whole[image.y : image.y + 32, image.x : image.x + 32])
        sizes = {(study.path / "crops" / name).stat().st_size for name in image.files.values()}
        assert len(sizes) == 1
    assert study.design == read_record(study.path / "design.json", StudyDesign)


def test_crops_follow_the_rule(tmp_path: Path) -> None:
    folders = write_folders(tmp_path / "pictures")
    methods = {name: folder for name, folder in folders.items() if name != "target"}
    protocol = replace(SMALL, rule="disagreement")
    for image in design(methods, folders["target"], tmp_path / "a", protocol).images:
        pictures = [read_uint8(folder / image.target) for folder in methods.values()]
        assert crops.disagreement_place(pictures, 32) == (image.x, image.y)
    (tmp_path / "boxes.json").write_text(json.dumps({"photo2": [3, 5], "photo0": [16, 8]}))
    protocol = replace(SMALL, rule="boxes", boxes=tmp_path / "boxes.json")
    images = design(methods, folders["target"], tmp_path / "b", protocol).images
    assert [(i.target, i.x, i.y, i.w, i.h) for i in images] == [
        ("photo0.png", 16, 8, 32, 32),
        ("photo2.png", 3, 5, 32, 32),
    ]
    assert len(design(methods, folders["target"], tmp_path / "c", replace(SMALL, images=3)).images) == 3


def test_pictures_of_equal_names_in_different_folders_are_different_pictures(tmp_path: Path) -> None:
    for number, scene in enumerate(("one", "two")):
        for place, folder in enumerate(("target/{}/sharp", "a/{}/sharp", "b/{}/sharp")):
            path = tmp_path / folder.format(scene) / "1.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(np.full((40, 48, 3), 100 * number + 10 * place, np.uint8)).save(path)
    protocol = replace(SMALL, questions=2, repeats=0, catch=0, identical=0, training=0)
    methods = {name: tmp_path / name for name in "ab"}
    made = design(methods, tmp_path / "target" / "*" / "sharp", tmp_path / "study", protocol)
    assert sorted(image.target for image in made.images) == ["one/sharp/1.png", "two/sharp/1.png"]
    for image in made.images:
        for place, name in enumerate(("target", "a", "b")):
            crop = read_uint8(tmp_path / "study" / "crops" / image.files[name])
            assert (crop == 100 * (image.target.startswith("two")) + 10 * place).all()
