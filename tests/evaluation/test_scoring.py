"""Metrics made ready: what is left out and why, whose weights they have, and what a set's measure is given."""

import math

import pytest
import torch

from pdloss.assets import path, sha256
from pdloss.errors import ImageError, SpecError
from pdloss.evaluation import scoring
from pdloss.metrics import METRICS, Entry, lpips, psnr
from pdloss.metrics.sets import SetEntry
from pdloss.records import Metric, SetScore

CPU = torch.device("cpu")
BRIGHTNESS = Metric(label="Brightness", better="lower", protocol="mean of all values")


class Brightness:
    """A measure of sets: how much brighter all restored images are."""

    def __init__(self):
        self.origin = {"sun": "sha256 5778; warm"}
        self.differences = []

    def update(self, restored, target):
        self.differences.append((restored.mean() - target.mean()).item())

    def compute(self):
        return SetScore(value=sum(self.differences) / len(self.differences), error=0.5, note="by day only")


@pytest.fixture
def brightness(monkeypatch):
    monkeypatch.setitem(scoring.SET_METRICS, "brightness", SetEntry(BRIGHTNESS, Brightness, 4))


def images(*levels):
    return [torch.full((1, 3, 8, 8), level) for level in levels]


def test_scores_a_picture_by_each_metric(generator):
    restored, target = torch.rand(2, 1, 3, 8, 8, generator=generator)
    measures, notes = scoring.ready(["psnr", "psnr_y"], CPU)
    assert notes == []
    scores = measures.scores("a.png", restored, target)
    assert list(scores) == ["psnr", "psnr_y"]
    assert scores["psnr"] == psnr(restored, target).item()
    assert measures.scores("a.png", target, target) == {"psnr": 120.0, "psnr_y": 120.0}


def test_a_set_s_measure_sees_all_pictures_and_begins_anew_each_time(brightness):
    measures, _ = scoring.ready(["psnr", "brightness"], CPU)
    assert measures.scores("a.png", *images(0.5, 0.25)).keys() == {"psnr"}
    for added in (0.25, 0.5):
        totals = scoring.SetTotals(measures)
        totals.add(*images(0.25 + added, 0.25))
        totals.add(*images(0.25, 0.25))
        assert totals.scores() == {"brightness": SetScore(value=added / 2, error=0.5, note="by day only")}


def test_a_record_names_the_weights_in_use(brightness, assets_folder):
    measures, _ = scoring.ready(["psnr", "lpips", "brightness"], CPU)
    assert measures.records["psnr"] == METRICS["psnr"].record
    assert measures.records["brightness"].weights == Brightness().origin
    weights = measures.records["lpips"].weights
    assert weights.keys() == {"alexnet-torchvision", "lpips-alex"}
    for name, text in weights.items():
        assert text.startswith(f"sha256 {sha256(path(name))}; ")


def test_what_has_no_weights_here_is_left_out_with_the_reason(monkeypatch):
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    measures, notes = scoring.ready(["lpips", "psnr", "fid"], CPU)
    assert list(measures.records) == ["psnr"]
    assert [note.partition(" left out: ")[0] for note in notes] == ["lpips", "fid"]
    assert measures.fitting(100, 1)[1] == []  # of one picture, the reason is not given twice


def test_what_needs_larger_or_more_images_is_left_out_with_the_reason(brightness):
    measures, _ = scoring.ready(["psnr", "ms_ssim", "brightness"], CPU)
    fitting, notes = measures.fitting(160, 1)
    assert list(fitting.records) == ["psnr"]
    assert notes == [
        "ms_ssim left out: it needs 161 pixels a side, the smallest image has 160",
        "brightness left out: it compares sets, and there is only one image",
    ]
    assert list(measures.fitting(161, 2)[0].records) == ["psnr", "ms_ssim", "brightness"]
    assert list(measures.fitting(3, 2)[0].records) == ["psnr"]


def test_some_of_the_metrics_and_others_beside_them(brightness):
    measures, _ = scoring.ready(["psnr", "psnr_y", "brightness"], CPU)
    some = measures.only(["psnr_y", "brightness", "lpips"])
    assert (list(some.single), list(some.whole), list(some.records)) == (
        ["psnr_y"], ["brightness"], ["psnr_y", "brightness"]
    )  # fmt: skip
    more = some.also({"own": lambda restored, _: restored.mean().view(1)}, {"own": BRIGHTNESS})
    assert more.scores("a.png", *images(0.5, 0.5)) == {"psnr_y": 120.0, "own": 0.5}
    assert list(more.records) == ["psnr_y", "brightness", "own"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["pnsr"], "unknown metric 'pnsr'; did you mean 'psnr'"),
        (["fdi"], "did you mean 'fid'"),
        ([], "name at least one metric: psnr"),
    ],
)
def test_a_wrong_name_is_refused(names, said):
    with pytest.raises(SpecError, match=said):
        scoring.check_names(names)


def test_other_names_are_allowed_where_they_mean_something():
    scoring.check_names(["psnr", "consistency"], ["consistency"])
    with pytest.raises(SpecError, match="unknown metric 'consistency'"):
        scoring.check_names(["consistency"])


def test_a_metric_without_a_value_names_itself_and_the_picture(monkeypatch):
    record = METRICS["psnr"].record
    monkeypatch.setitem(METRICS, "psnr", Entry(record, lambda: lambda r, _: torch.tensor([math.nan])))
    monkeypatch.setitem(METRICS, "lpips", Entry(record, lambda: lambda r, _: lpips([], [], [])))
    for name, why in (("psnr", "it is not a number"), ("lpips", "need the same layers")):
        measures, _ = scoring.ready([name], CPU)
        with pytest.raises(
            ImageError, match=f"{name} has no value for grey.png: .*{why}.*leave the metric or the pict"
        ):
            measures.scores("grey.png", *images(0.5, 0.5))
