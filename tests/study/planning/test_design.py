"""A study made of folders: balanced, repeatable, opaque, and refused where it cannot work."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pdloss.errors import ImageError, SpecError
from pdloss.study.folder import StudyFolder
from pdloss.study.planning.design import design
from pdloss.study.planning.protocol import StudyProtocol
from pdloss.study.records import Rules
from tests.study.studies_for_tests import SMALL, asked, make_study, write_folders


def test_one_seed_gives_one_study_with_names_that_nobody_can_foresee(tmp_path: Path) -> None:
    def said(study: StudyFolder) -> list[list[tuple]]:
        stems = {image.id: image.target for image in study.design.images}
        return [
            [(q.kind, stems[q.image], q.left, q.right) for q in asked(study, plan)] for plan in study.design.schedules
        ]

    one, same, other = (
        StudyFolder(make_study(tmp_path / f"study{k}", replace(SMALL, seed=seed))) for k, seed in enumerate((1, 1, 2))
    )
    assert said(one) == said(same) != said(other)
    assert [(i.x, i.y) for i in one.design.images] == [(i.x, i.y) for i in same.design.images]
    assert not set(one.questions) & set(same.questions)
    assert not {path.name for path in (one.path / "crops").iterdir()} & {
        p.name for p in (same.path / "crops").iterdir()
    }


def test_without_a_seed_one_is_drawn_and_recorded(tmp_path: Path) -> None:
    seeds = {StudyFolder(make_study(tmp_path / name, replace(SMALL, seed=None))).design.seed for name in "ab"}
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("protocol", "problem"),
    [
        (
            replace(SMALL, questions=13),
            "make 12 different comparisons, fewer than the 13 of each rater.*--questions 12",
        ),
        (replace(SMALL, repeats=3), "3 repeats of 6 comparisons are too many; at most a third, 2"),
        (replace(SMALL, images=5), "--images 5 asks for more than the 4 there are"),
        (replace(SMALL, rule="boxes"), "--rule boxes and --boxes FILE go together"),
        (replace(SMALL, consent=Path("nowhere.txt")), "the consent text: cannot read nowhere.txt"),
        (replace(SMALL, catch=5), "--catch 5 needs as many different images, and there are 4"),
        (replace(SMALL, identical=5), "--identical 5 needs as many different images, and there are 4"),
        (replace(SMALL, crop=0), "--crop 0 is out of range: expected int >= 1"),
        (replace(SMALL, questions=0), "--questions 0 is out of range"),
        (replace(SMALL, raters=0), "--raters 0 is out of range"),
        (replace(SMALL, images=0), "--images 0 is out of range"),
        (replace(SMALL, training=-1), "--training -1 is out of range: expected int >= 0"),
        (replace(SMALL, seed=-4), "--seed -4 is out of range"),
        (replace(SMALL, rules=Rules(min_catch_share=5)), "--min-catch-share 5 is out of range: expected float <= 1.0"),
        (replace(SMALL, rules=Rules(min_seconds=float("nan"))), "--min-seconds nan is out of range"),
    ],
)
def test_a_protocol_that_cannot_be_followed_is_refused(tmp_path: Path, protocol: StudyProtocol, problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        make_study(tmp_path, protocol)
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_folders_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folders = write_folders(tmp_path)
    methods = {name: folder for name, folder in folders.items() if name != "target"}
    with pytest.raises(ImageError, match="48x40 pixels, smaller than a crop of 64x64; give --crop 40"):
        design(methods, folders["target"], tmp_path / "out", replace(SMALL, crop=64))
    with pytest.raises(SpecError, match="no method can be called 'target'"):
        design({**methods, "target": tmp_path}, folders["target"], tmp_path / "out", SMALL)
    with pytest.raises(SpecError, match="needs two methods or more, got 1"):
        design({"method0": methods["method0"]}, folders["target"], tmp_path / "out", SMALL)
    Image.new("RGB", (41, 40)).save(methods["method1"] / "photo1.png")
    with pytest.raises(ImageError, match=r"method1.photo1.png is 41x40 pixels, but .*target.photo1.png is 48x40"):
        design(methods, folders["target"], tmp_path / "out", SMALL)
    (methods["method1"] / "photo1.png").unlink()
    with pytest.raises(ImageError, match="method1 lacks photo1; all folders must hold the same pictures"):
        design(methods, folders["target"], tmp_path / "out", SMALL)


def test_a_study_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    folders = write_folders(tmp_path / "pictures")
    methods = {name: folder for name, folder in folders.items() if name != "target"}
    out = tmp_path / "study"

    def stopped(done: int, total: int) -> None:
        assert not out.exists()
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        design(methods, folders["target"], out, SMALL, stopped)
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
    good = (methods["method1"] / "photo2.png").read_bytes()
    (methods["method1"] / "photo2.png").write_bytes(good[:200])
    with pytest.raises(ImageError, match=r"cannot read .*photo2\.png"):
        design(methods, folders["target"], out, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
    (methods["method1"] / "photo2.png").write_bytes(good)
    left = tmp_path / ".study.unfinished" / "crops"  # by one that was killed
    left.mkdir(parents=True)
    (left / "old.png").write_bytes(b"")
    out.mkdir()
    made = design(methods, folders["target"], out, SMALL)
    assert {path.name for path in tmp_path.iterdir()} == {"pictures", "study"}
    assert {path.name for path in (out / "crops").iterdir()} == {n for i in made.images for n in i.files.values()}


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "notes.txt").write_text("mine")
    with pytest.raises(SpecError, match="study is not an empty folder; choose another with --out"):
        make_study(tmp_path)
    assert (tmp_path / "study" / "notes.txt").read_text() == "mine"
