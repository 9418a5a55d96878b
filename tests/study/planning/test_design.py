"""A study made of folders: balanced, repeatable, opaque, and refused where it cannot work."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from pdloss.errors import ImageError, RunError, SpecError
from pdloss.picture_files import eight_bit
from pdloss.records import read_record
from pdloss.study.folder import StudyFolder
from pdloss.study.planning import crops
from pdloss.study.planning.active import chosen_pairs, information, next_questions, posterior
from pdloss.study.planning.design import Wishes, design
from pdloss.study.planning.power import answers_needed, power_table
from pdloss.study.records import Question, Rules, StudyDesign
from tests.study.studies_for_tests import SMALL, make_study, write_folders


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    wishes = Wishes(crop=32, questions=9, raters=20, seed=3, catch=2, repeats=3, identical=1, training=2)
    return StudyFolder(make_study(tmp_path_factory.mktemp("design"), wishes, images=6))


def asked(study: StudyFolder, plan: list[str]) -> list[Question]:
    return [study.questions[name] for name in plan]


def test_every_rater_gets_what_was_wished(study: StudyFolder) -> None:
    assert len(study.design.schedules) == 20
    for plan in study.design.schedules:
        assert Counter(q.kind for q in asked(study, plan)) == {"pair": 9, "catch": 2, "repeat": 3, "identical": 1}
        assert len(set(plan)) == len(plan)
        assert asked(study, plan)[0].kind == "pair"


def test_sides_are_balanced_for_pairs_methods_and_catch_trials(study: StudyFolder) -> None:
    questions = [question for plan in study.design.schedules for question in asked(study, plan)]
    sides = Counter((q.left, q.right) for q in questions if q.kind == "pair")
    for (left, right), count in sides.items():
        assert abs(count - sides[right, left]) <= 1
    on_left, on_right = (Counter(getattr(q, side) for q in questions if q.kind == "pair") for side in ("left", "right"))
    assert all(abs(on_left[name] - on_right[name]) <= 2 for name in study.design.methods)
    assert Counter(q.expected for q in questions if q.kind == "catch") == {"left": 20, "right": 20}
    assert all((q.left if q.expected == "left" else q.right) == "target" for q in questions if q.kind == "catch")


def test_repeats_mirror_what_the_rater_saw_well_before(study: StudyFolder) -> None:
    for plan in study.design.schedules:
        for place, question in enumerate(asked(study, plan)):
            if question.kind == "repeat":
                first = study.questions[str(question.repeats)]
                assert (first.image, first.left, first.right) == (question.image, question.right, question.left)
                assert plan.index(first.id) < place - 1
            if question.kind == "identical":
                assert question.left == question.right


def test_the_target_is_seen_only_of_images_not_judged_where_there_are_others(tmp_path: Path) -> None:
    study = StudyFolder(make_study(tmp_path, replace(SMALL, questions=3, repeats=1), images=6))
    for plan in study.design.schedules:
        questions = asked(study, plan)
        judged = {q.image for q in questions if q.kind == "pair"}
        assert not judged & {q.image for q in questions if q.kind == "catch"}


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
    wishes = replace(SMALL, rule="disagreement")
    for image in design(methods, folders["target"], tmp_path / "a", wishes).images:
        pictures = [eight_bit(folder / image.target) for folder in methods.values()]
        assert crops.disagreement_place(pictures, 32) == (image.x, image.y)
    (tmp_path / "boxes.json").write_text(json.dumps({"photo2": [3, 5], "photo0": [16, 8]}))
    wishes = replace(SMALL, rule="boxes", boxes=tmp_path / "boxes.json")
    images = design(methods, folders["target"], tmp_path / "b", wishes).images
    assert [(i.target, i.x, i.y, i.w, i.h) for i in images] == [
        ("photo0.png", 16, 8, 32, 32),
        ("photo2.png", 3, 5, 32, 32),
    ]
    assert len(design(methods, folders["target"], tmp_path / "c", replace(SMALL, images=3)).images) == 3


@pytest.mark.parametrize(
    ("wishes", "problem"),
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
def test_wishes_that_cannot_be_met_are_refused(tmp_path: Path, wishes: Wishes, problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        make_study(tmp_path, wishes)
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


def test_a_study_is_never_overwritten_and_damage_is_found(tmp_path: Path) -> None:
    path = make_study(tmp_path)
    with pytest.raises(SpecError, match="holds a study already"):
        make_study(tmp_path)
    study = StudyFolder(path)
    study.verify()
    file = path / "crops" / next(iter(study.design.images[0].files.values()))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError, match="is not the crop that the design was made with"):
        study.verify()


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("questions", 0, "left"), "method9", "shows what is no crop of it"),
        (("questions", 0, "repeats"), "nothing", "repeats nothing, which there is not"),
        (("images", 0, "files", "method0"), "../secrets.json", "has a file outside the folder crops"),
        (("images", 0, "files", "method0"), "other.png", "lacks hashes of its files"),
        (("schedules", 0, 0), "nothing", "schedules name nothing, which is no question"),
        (("schedules",), [], "it has no schedules"),
        (("format",), 9, "has format 9, this pdloss reads 1"),
    ],
)
def test_a_design_changed_by_hand_is_refused(tmp_path: Path, place: tuple, value: object, problem: str) -> None:
    path = make_study(tmp_path) / "design.json"
    data = json.loads(path.read_text())
    del data["content_sha256"]  # as the message for an edited file advises
    inside = data
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    path.write_text(json.dumps(data))
    with pytest.raises(RunError, match=problem):
        StudyFolder(path.parent)


def test_secrets_are_private_and_stay(tmp_path: Path) -> None:
    study = StudyFolder(make_study(tmp_path))
    first = study.secrets()
    assert (study.path / "secrets.json").stat().st_mode & 0o077 == 0
    assert study.secrets() == first
    assert len(first.admin) >= 43
    assert first.admin != first.root


@pytest.mark.parametrize("share", [0.55, 0.6, 0.7])
def test_the_answers_needed_have_the_power_promised(share: float) -> None:
    n = answers_needed(share)
    # Exact: the smallest two-sided rejection region of the binomial test, against the true preference.
    beyond = stats.binom.ppf(0.975, n, 0.5)
    power = stats.binom.sf(beyond, n, share) + stats.binom.cdf(n - beyond - 1, n, share)
    assert power == pytest.approx(0.8, abs=0.04)  # whole answers make steps of about this size


def test_the_power_table_counts_raters_for_one_pair_and_for_all() -> None:
    row = next(need for need in power_table(pairs=10, questions=20) if need.share == 0.6)
    assert (row.answers, row.raters) == (194, 97)
    assert row.raters_of_all == -(-answers_needed(0.6, level=0.005) * 10 // 20) > row.raters


def test_the_posterior_is_that_of_a_general_optimizer() -> None:
    from scipy.optimize import minimize

    wins = np.array([[0, 9, 3], [1, 0, 4], [0, 2, 0]], dtype=float)

    def loss(scores: np.ndarray) -> float:
        likelihood = sum(wins[a, b] * np.logaddexp(0, scores[b] - scores[a]) for a in range(3) for b in range(3))
        return float(likelihood + (scores**2).sum() / 2 / 1.5**2)

    found = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    known = posterior(wins)
    assert known.mean == pytest.approx(found.x, abs=1e-5)
    step = 1e-3 * np.eye(3)
    curvature = [
        [
            (loss(found.x + a + b) - loss(found.x + a - b) - loss(found.x - a + b) + loss(found.x - a - b)) / 4e-6
            for a in step
        ]
        for b in step
    ]
    assert np.linalg.inv(known.covariance) == pytest.approx(np.array(curvature), abs=1e-4)


def test_expected_information_is_that_of_drawing_scores_and_answers() -> None:
    known = posterior(np.array([[0, 5, 0], [2, 0, 1], [0, 0, 0]], dtype=float))
    scores = np.random.default_rng(0).multivariate_normal(known.mean, known.covariance, 200_000)
    p = 1 / (1 + np.exp(scores[:, 1] - scores[:, 0]))
    entropy = stats.entropy([[p.mean(), *p], [1 - p.mean(), *(1 - p)]])
    assert information(known)[0, 1] == pytest.approx(entropy[0] - entropy[1:].mean(), abs=3e-3)


def test_active_questions_go_where_least_is_known() -> None:
    rng = np.random.default_rng(0)
    wins = np.full((3, 3), 100.0)
    np.fill_diagonal(wins, 0)
    wins[2, 1] = wins[1, 2] = 0
    wins[2, 0] = wins[0, 2] = 0
    assert set(chosen_pairs(wins, 6, rng)) == {(0, 2), (1, 2)}
    assert Counter(chosen_pairs(np.zeros((3, 3)), 9, rng)) == {(0, 1): 3, (0, 2): 3, (1, 2): 3}
    settled = np.array([[0, 60, 20], [0, 0, 20], [20, 20, 0]], dtype=float)
    assert information(posterior(settled))[0, 1] < information(posterior(settled))[0, 2]


def test_an_active_rater_gets_different_questions_with_repeats_and_checks(tmp_path: Path) -> None:
    study = StudyFolder(make_study(tmp_path, replace(SMALL, kind="active")))
    plan = next_questions(study.design, study.design.schedules[0], np.zeros((3, 3)), {}, np.random.default_rng(0))
    questions = asked(study, plan)
    assert Counter(q.kind for q in questions) == {"pair": 6, "catch": 2, "repeat": 2, "identical": 1}
    pairs = [q for q in questions if q.kind == "pair"]
    assert len({(q.image, *sorted((q.left, q.right))) for q in pairs}) == 6
    assert set(Counter(frozenset((q.left, q.right)) for q in pairs).values()) == {2}
    assert all(str(q.repeats) in plan for q in questions if q.kind == "repeat")
    before = Counter(plan)
    later = asked(study, next_questions(study.design, [], np.zeros((3, 3)), before, np.random.default_rng(1)))
    sides = Counter((q.left, q.right) for q in [*pairs, *later] if q.kind == "pair")
    assert all(abs(count - sides[right, left]) <= 1 for (left, right), count in sides.items())


def test_pictures_of_equal_names_in_different_folders_are_different_pictures(tmp_path: Path) -> None:
    for number, scene in enumerate(("one", "two")):
        for place, folder in enumerate(("target/{}/sharp", "a/{}/sharp", "b/{}/sharp")):
            path = tmp_path / folder.format(scene) / "1.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(np.full((40, 48, 3), 100 * number + 10 * place, np.uint8)).save(path)
    wishes = replace(SMALL, questions=2, repeats=0, catch=0, identical=0, training=0)
    methods = {name: tmp_path / name for name in "ab"}
    made = design(methods, tmp_path / "target" / "*" / "sharp", tmp_path / "study", wishes)
    assert sorted(image.target for image in made.images) == ["one/sharp/1.png", "two/sharp/1.png"]
    for image in made.images:
        for place, name in enumerate(("target", "a", "b")):
            crop = eight_bit(tmp_path / "study" / "crops" / image.files[name])
            assert (crop == 100 * (image.target.startswith("two")) + 10 * place).all()
