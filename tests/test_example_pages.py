"""The scripts behind two pages of docs/ run, and the pages' tables hold what the pages claim."""

import importlib.util
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
import torch

from pdloss.errors import ImageError
from pdloss.losses import L1, LOSSES, PixelLoss
from tests.runs_for_tests import photographs_in

ROOT = Path(__file__).parents[1]
PAGES = ("histogram_distances", "misalignment")


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def beside() -> Iterator[pytest.MonkeyPatch]:
    """Imports from examples/, as a script there does; no weights but those that ship."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "examples")
        patch.setenv("PDLOSS_OFFLINE", "1")
        patch.setenv("PDLOSS_CACHE", str(ROOT / "there-is-no-cache"))
        patch.delenv("PDLOSS_ASSETS", raising=False)
        yield patch
        sys.modules.pop("pages", None)


@pytest.fixture(scope="module")
def distances(beside: pytest.MonkeyPatch) -> ModuleType:
    return example("histogram_distances")


@pytest.fixture(scope="module")
def lab(beside: pytest.MonkeyPatch) -> ModuleType:
    return example("misalignment_lab")


@pytest.fixture(scope="module")
def written(distances: ModuleType, lab: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both scripts have run."""
    folder = tmp_path_factory.mktemp("docs")
    distances.make(folder, quick=True)
    lab.make(folder, quick=True)
    return folder


def tables(page: Path) -> list[list[dict[str, str]]]:
    """Returns the tables of a page, each row by heading."""
    found: list[list[dict[str, str]]] = []
    for block in re.findall(r"(?:^\|.*\n?)+", page.read_text(), re.MULTILINE):
        lines = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in block.splitlines()]
        found.append([dict(zip(lines[0], line, strict=True)) for line in lines[2:]])
    return found


def by_loss(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {next(iter(row.values())).strip("`"): row for row in rows}


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_of_a_page_is_written_with_it(written: Path, name: str):
    pictures = re.findall(r"\]\((.+?)\)", (written / f"{name}.md").read_text())
    assert len(pictures) == 2
    for picture in pictures:
        if picture.endswith(".svg"):
            assert ElementTree.parse(written / picture).getroot().tag.endswith("svg")
        else:
            assert (written / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_in_docs_are_whole_and_made_in_full(name: str):
    page = (ROOT / "docs" / f"{name}.md").read_text()
    assert "--quick" not in page
    assert "    python examples/" in page
    assert all((ROOT / "docs" / picture).is_file() for picture in re.findall(r"\]\((.+?)\)", page))


def test_the_pictures_in_docs_stay_small():
    pictures = [*ROOT.glob("docs/histogram_*.svg"), *ROOT.glob("docs/misalignment_*.*g")]
    assert len(pictures) == 4
    assert sum(picture.stat().st_size for picture in pictures) < 1.5e6


def test_w1_grows_with_the_toys_shift_while_kl_and_js_stay_flat(written: Path):
    rows = tables(written / "histogram_distances.md")[0]
    shifts = [float(row["shift"]) for row in rows]
    assert [float(row["W1"]) for row in rows] == shifts
    for name in ("KL, floor 1e-06", "KL, floor 0.001", "JS"):
        values = [float(row[name]) for row in rows]
        apart = [value for shift, value in zip(shifts, values, strict=True) if shift >= 9]
        assert len(apart) >= 3
        assert max(apart) - min(apart) <= 1e-6
        assert all(value < apart[0] for shift, value in zip(shifts, values, strict=True) if shift < 9)
    assert float(rows[-1]["JS"]) == pytest.approx(math.log(2), abs=1e-6)


def test_the_toy_in_docs_has_the_numbers_of_today(written: Path):
    made, committed = (tables(folder / "histogram_distances.md")[0] for folder in (written, ROOT / "docs"))
    assert committed == made


def test_the_page_tells_the_channels_of_the_rule(written: Path):
    rows = tables(written / "histogram_distances.md")[1]
    kls, ratios = ([float(row[name]) for row in rows] for name in ("KL", "W1/spread"))
    assert max(kls) <= 1.1 / 0.9 * min(kls) + 1e-3
    assert ratios == sorted(ratios)
    assert ratios[0] < ratios[-1]


def test_a_shift_is_little_to_pdl_and_much_to_l1(written: Path):
    rows = by_loss(tables(written / "misalignment.md")[0])
    assert float(rows["pdl"]["shift 8"]) < 0.5 * float(rows["l1"]["shift 8"])
    assert float(rows["pdl"]["blur 1.5"]) > 2 * float(rows["l1"]["blur 1.5"])
    assert float(rows["l1"]["shift 2"]) < float(rows["l1"]["shift 8"])


def test_words_and_table_of_the_page_agree(written: Path):
    page = written / "misalignment.md"
    values, words = (by_loss(rows) for rows in tables(page)[:2])
    text = page.read_text()
    place, blur = (re.search(f"^- {start}.* to (.*)\\.$", text, re.MULTILINE) for start in ("A shift", "The blur"))
    assert place
    assert blur
    assert "`l1`" in place[1]
    assert "`pdl`" in blur[1]
    assert values.keys() == words.keys()
    for name, row in values.items():
        worse = float(row["shift 8"]) > float(row["blur 1.5"])
        assert (f"`{name}`" in place[1]) == worse
        assert (f"`{name}`" in blur[1]) == (not worse)
        typical = {"shift": "8", "rotation": "4", "noise": "0.1", "blur": "1.5", "JPEG": "20"}
        order = list(words[name].values())[1].split(", ")
        seen = [float(row[f"{degradation} {typical[degradation]}"]) for degradation in order]
        assert seen == sorted(seen, reverse=True)


def test_every_loss_is_measured_or_named_as_left_out(written: Path):
    page = written / "misalignment.md"
    measured = {name.partition("(")[0] for name in by_loss(tables(page)[0])}
    left_out = set(re.findall(r"`(\w+)` \(its", page.read_text()))
    assert measured | left_out == set(LOSSES.table)
    assert not measured & left_out
    assert {"lpips", "adversarial"} <= left_out


def test_painting_starts_at_noise_and_comes_closer_by_the_loss_that_paints(written: Path):
    page = written / "misalignment.md"
    rows = by_loss(tables(page)[2])
    start = re.search(r"noise of 0.1, ([\d.]+) dB", page.read_text())
    assert start
    assert float(rows["l1"]["PSNR (dB)"]) > float(start[1]) + 1
    assert min(rows, key=lambda name: float(rows[name]["says `l1`"])) == "l1"
    assert min(rows, key=lambda name: float(rows[name]["says `perceptual`"])) == "perceptual"


def test_l1_paints_the_target(lab: ModuleType, generator: torch.Generator):
    target, start = torch.rand(2, 3, 8, 8, generator=generator)
    assert (lab.minimised(PixelLoss(p=1), start, target, 120, "l1") - target).abs().max() < 0.01


def test_a_shifted_view_shows_the_same_things_elsewhere(lab: ModuleType, generator: torch.Generator):
    view = torch.rand(3, 80, 90, generator=generator)
    assert torch.equal(lab.shifted(view, 5)[..., 5:], lab.inside(view)[..., :-5])
    assert torch.equal(lab.shifted(view, 16)[..., :16], view[..., lab.MARGIN : -lab.MARGIN, 8:24])


def test_degradations_of_no_strength_leave_the_view_as_it_is(lab: ModuleType, generator: torch.Generator):
    view = torch.rand(3, 80, 80, generator=generator)
    for degradation in lab.DEGRADATIONS[:4]:
        assert degradation.strengths[0] == 0
        assert torch.allclose(degradation.degrade(view, 0), lab.inside(view), atol=1e-6)


def test_every_degradation_grows_with_its_strength(lab: ModuleType, generator: torch.Generator):
    rows = torch.linspace(0, 9, 90)
    view = 0.5 + 0.2 * (rows.sin() + rows[:, None].cos()).expand(3, -1, -1)
    view = (view + 0.02 * torch.randn(view.shape, generator=generator)).clamp(0, 1)
    for degradation in lab.DEGRADATIONS:
        errors = [(degradation.degrade(view, s) - lab.inside(view)).abs().mean().item() for s in degradation.strengths]
        assert errors == sorted(errors), degradation.name
        assert errors[-1] > 0.005, degradation.name


def test_a_right_angle_turns_the_view(lab: ModuleType, generator: torch.Generator):
    view = torch.rand(3, 80, 80, generator=generator)
    assert torch.allclose(lab.rotated(view, 90), lab.inside(view.rot90(-1, (2, 1))), atol=1e-5)


def test_the_blur_that_equals_a_shift_is_read_off_the_curve(lab: ModuleType):
    blur = {0: 0.0, 1: 0.25, 2: 0.75}
    assert lab.equal_blur({"shift": {8: 0.5}, "blur": blur}) == "1.50"
    assert lab.equal_blur({"shift": {8: 0.8}, "blur": blur}) == "over 2"


def test_another_photograph_is_one(lab: ModuleType, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch):
    views = [torch.full((3, 52, 52), level) for level in (0.0, 0.4, 0.8)]
    become = lab.Degradation("become", "", (0, 1), (1,), 1, lambda view, s: lab.inside(view) + 0.4 * s)
    monkeypatch.setattr(lab, "DEGRADATIONS", (become,))
    curves = lab.measured(lab.Losses({"l1": L1().build()}, {}), views, quick=False)
    assert curves["l1"]["become"] == pytest.approx({0: 0.0, 1: 0.4 / ((0.4 + 0.8 + 0.4) / 3)}, rel=1e-5)


def test_photographs_of_ones_own_are_taken(distances: ModuleType, tmp_path: Path):
    photographs_in(tmp_path, count=1, height=160, width=160)
    distances.make(tmp_path / "out", data=tmp_path, features="distilled.relu3_3", factor=2, quick=True)
    page = (tmp_path / "out" / "histogram_distances.md").read_text()
    assert "of `photo0`, against the same made 2 times smaller" in page
    assert f"--data {tmp_path} --features distilled.relu3_3 --factor 2 --quick" in page


def test_too_few_photographs_are_refused(lab: ModuleType, tmp_path: Path):
    photographs_in(tmp_path, count=2, height=24, width=24)
    with pytest.raises(ImageError, match="holds 2 images, and 3 are needed"):
        lab.make(tmp_path / "out", data=tmp_path, quick=True)


def test_photographs_too_small_are_refused_in_one_line(
    lab: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    photographs_in(tmp_path, count=3, height=24, width=32)
    monkeypatch.setattr(sys, "argv", ["misalignment_lab.py", "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit, match=r"^error: photo0 has 24x32 pixels, and 224 a side are needed"):
        lab.pages.main(lab.make)
