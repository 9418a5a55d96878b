import re

import msgspec
import pytest
import torch
from safetensors.torch import save_file

from pdloss.errors import AssetError, ImageError, UserError
from pdloss.metrics import sets
from pdloss.metrics.frechet import frechet_distance
from pdloss.metrics.inception import InceptionFeatures, view_crops
from pdloss.metrics.inception_graph import shapes
from pdloss.metrics.kernel_distance import kernel_distance, paired_kernel_distance
from pdloss.metrics.sets import SET_METRICS, SetMeasure
from pdloss.metrics.sliced_features import sliced_feature_distance
from pdloss.records import SetScore
from tests.oracles import inception as oracle

WITHOUT_WHOLE_WEIGHTS = [name for name in SET_METRICS if re.search(r"\d", name)]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Random weights for vectors of up to 192 dimensions."""
    path = tmp_path_factory.mktemp("sets") / "random.safetensors"
    save_file(oracle.random_weights(shapes(192)), path)
    return path


@pytest.fixture
def small(file, monkeypatch):
    """The measures of 64 dimensions, by kind and view, on random weights."""
    monkeypatch.setattr(sets, "weights_path", lambda dims: file)
    kinds = {
        "fid": sets._FrechetMeasure,
        "kid": sets._KernelMeasure,
        "paired_kid": sets._PairedKernelMeasure,
        "swd": sets._SlicedMeasure,
    }
    return lambda kind, view="whole": kinds[kind](64, view)


def pairs(generator, count, height=40, width=36):
    target = torch.rand(count, 3, height, width, generator=generator)
    return (target + 0.2 * torch.randn(target.shape, generator=generator)).clamp(0, 1), target


def test_the_names_are_those_that_evaluation_offers():
    assert list(SET_METRICS) == [
        *("fid64", "fid192"),
        *("fid768", "fid768_clean", "fid768_crops", "kid768", "kid768_clean", "kid768_crops"),
        *("paired_kid768", "paired_kid768_clean", "paired_kid768_crops", "swd768"),
        *("fid", "fid_clean", "fid_crops", "kid", "kid_clean", "kid_crops"),
        *("paired_kid", "paired_kid_clean", "paired_kid_crops", "swd"),
    ]


@pytest.mark.parametrize("name", WITHOUT_WHOLE_WEIGHTS)
def test_fewer_dimensions_are_never_called_by_the_plain_name(name):
    record, dims = SET_METRICS[name].record, re.search(r"\d+", name)[0]
    plain = "paired KID" if name.startswith("paired") else name[:3].upper()
    assert record.label.startswith(f"{plain}-{dims}")
    assert f"mean of {dims} channels (plain {plain} takes 2048" in record.protocol


@pytest.mark.parametrize("name", SET_METRICS)
def test_every_protocol_says_the_colour_the_rounding_the_size_and_the_network(name):
    record = SET_METRICS[name].record
    for word in ("RGB", "8 bits", "299x299", "Inception-v3 of 2015-12-05", "channels"):
        assert word in record.protocol
    assert record.better == "lower"
    assert SET_METRICS[name].minimum_side == (299 if name.endswith("crops") else 1)
    views = {"clean": "antialiased", "crops": "not resized"}
    assert views.get(name.removeprefix("paired_").partition("_")[2], "no antialiasing") in record.protocol


def test_labels_and_protocols_tell_all_metrics_apart():
    assert len({entry.record.label for entry in SET_METRICS.values()}) == len(SET_METRICS)
    assert len({entry.record.protocol for entry in SET_METRICS.values()}) == len(SET_METRICS)


@pytest.mark.parametrize(("name", "dims"), [("fid64", 64), ("fid192", 192)])
def test_the_score_is_the_frechet_distance_of_all_features(small, file, generator, name, dims):
    measure, network = SET_METRICS[name].factory(), InceptionFeatures(dims, weights=file)
    batches = [pairs(generator, 3), pairs(generator, 1, 50, 31), pairs(generator, 2)]
    for batch in batches:
        measure.update(*batch)
    restored, target = (torch.cat([network(batch[side]) for batch in batches]) for side in (0, 1))
    score = measure.compute()
    assert score.value == pytest.approx(frechet_distance(restored, target).item(), rel=1e-6)
    assert score.value > 0
    assert score.error is None


def test_kid_and_swd_are_those_of_all_features(small, file, generator):
    network, batches = InceptionFeatures(64, weights=file), [pairs(generator, 3), pairs(generator, 2)]
    restored, target = (torch.cat([network(batch[side]) for batch in batches]) for side in (0, 1))
    kid, published, swd = small("paired_kid"), small("kid"), small("swd")
    for batch in batches:
        kid.update(*batch)
        published.update(*batch)
        swd.update(*batch)
    estimate = paired_kernel_distance(restored, target)
    assert (kid.compute().value, kid.compute().error) == pytest.approx(estimate, rel=1e-6)
    assert estimate.error > 0
    assert published.compute().value == pytest.approx(kernel_distance(restored, target).item(), rel=1e-6)
    assert published.compute().error is None
    assert swd.compute().value == pytest.approx(sliced_feature_distance(restored, target).item(), rel=1e-6)
    assert swd.compute().error is None


def test_the_error_of_kid_on_crops_takes_each_image_as_one(small, file, generator):
    images = [pairs(generator, 1, 299, 299 * columns) for columns in (2, 1, 3)]
    kid, network = small("paired_kid", "crops"), InceptionFeatures(64, weights=file)
    for image in images:
        kid.update(*image)
    restored, target = (torch.cat([network.pooled(view_crops(image[side])) for image in images]) for side in (0, 1))
    expected = paired_kernel_distance(restored, target, torch.tensor([0, 0, 1, 2, 2, 2]))
    assert (kid.compute().value, kid.compute().error) == pytest.approx(expected, rel=1e-5)
    assert expected.error != pytest.approx(paired_kernel_distance(restored, target).error, rel=0.05)


def test_a_distance_does_not_depend_on_the_batches(small, generator):
    restored, target = pairs(generator, 3)
    for kind in ("fid", "kid", "paired_kid", "swd"):
        at_once, one_by_one = small(kind), small(kind)
        at_once.update(restored, target)
        for index in range(3):
            one_by_one.update(restored[index : index + 1], target[index : index + 1])
        assert one_by_one.compute().value == pytest.approx(at_once.compute().value, rel=1e-4)


@pytest.mark.parametrize("kind", ["fid", "paired_kid", "swd"])
def test_equal_sets_score_zero_and_worse_images_more(small, generator, kind):
    target = torch.rand(5, 3, 40, 36, generator=generator)
    noise = torch.randn(target.shape, generator=generator)
    values = []
    for sigma in (0, 0.1, 0.4):
        measure = small(kind)
        measure.update((target + sigma * noise).clamp(0, 1), target)
        values.append(measure.compute().value)
    assert values[0] == pytest.approx(0, abs=1e-8)
    assert kind != "fid" or values[0] >= 0
    assert values[0] < values[1] < values[2]


def test_the_published_kid_of_equal_sets_is_below_zero_and_its_protocol_says_why(small, generator):
    target = torch.rand(5, 3, 40, 36, generator=generator)
    measure = small("kid")
    measure.update(target, target)
    assert measure.compute().value < 0
    assert "pairs an image with its own target" in SET_METRICS["kid"].record.protocol
    assert "not the published KID" in SET_METRICS["paired_kid"].record.protocol


@pytest.mark.parametrize("kind", ["fid", "kid", "paired_kid", "swd"])
def test_constant_images_have_a_defined_score(small, kind):
    black, white = torch.zeros(3, 3, 20, 20), torch.ones(3, 3, 20, 20)
    measure = small(kind)
    measure.update(white, black)
    score = measure.compute()
    assert 0 < score.value < torch.inf
    assert score.error in (None, pytest.approx(0, abs=1e-9))


def given(rows):
    """A measure of 64 dimensions on features made without a network."""
    rows._features = lambda images: images.flatten(1)[:, :64]
    return rows


def test_fewer_images_than_dimensions_are_marked_with_what_to_read_instead(small, generator):
    fid = given(small("fid"))
    fid.update(*pairs(generator, 64, 8, 8))
    note = fid.compute().note
    assert note == "unreliable: 64 images for 64 dimensions leave the covariance without full rank; read paired_kid768"
    fid.update(*pairs(generator, 1, 8, 8))
    assert fid.compute().note is None


def test_crops_count_for_the_mark(small, generator):
    fid = small("fid", "crops")
    for _ in range(2):
        fid.update(*pairs(generator, 1, 299, 598))
    assert fid.compute().note.startswith("unreliable: 4 crops for 64 dimensions")
    assert fid.compute().note.endswith("read paired_kid768_crops")


@pytest.mark.parametrize("kind", ["fid", "kid", "paired_kid", "swd"])
@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_are_refused(small, generator, kind, count):
    measure = small(kind, "crops")
    if count:
        measure.update(*pairs(generator, 1, 299, 598))  # two crops of one image are not two images
    with pytest.raises(ImageError, match=f"{kind}64_crops compares sets of at least two images, got {count}"):
        measure.compute()


def test_images_that_cannot_be_compared_are_refused(small, generator):
    restored, target = pairs(generator, 2)
    with pytest.raises(ValueError, match="must have the same shape"):
        small("fid").update(restored, target[:1])
    restored[1, 0, 5, 5] = torch.nan
    with pytest.raises(UserError, match="not finite"):
        small("kid").update(restored, target)


def test_features_are_computed_once_for_all_that_need_them(small, generator, monkeypatch):
    passes = []
    forward = InceptionFeatures.forward
    monkeypatch.setattr(InceptionFeatures, "forward", lambda self, x: passes.append(1) or forward(self, x))
    measures = [small(kind) for kind in ("fid", "paired_kid", "swd")]
    restored, target = pairs(generator, 2)
    for measure in measures:
        measure.update(restored, target)
    assert len(passes) == 2
    before = measures[2].compute().value
    restored.copy_(target)  # the same tensor, but no longer the same image
    for measure in measures:
        measure.update(restored, target)
    assert len(passes) == 3
    assert measures[2].compute().value == pytest.approx(before / 2, rel=0.5)
    small("fid", "clean").update(restored, target)
    assert len(passes) == 5


def test_images_of_inference_mode_are_taken_too(small, generator):
    measure = small("fid")
    with torch.inference_mode():
        restored, target = pairs(generator, 2)
        measure.update(restored, target)
    assert measure.compute().value > 0


def test_memory_of_fid_does_not_grow_with_the_set(small, generator):
    measures = given(small("fid")), given(small("kid"))

    def held(value):
        if isinstance(value, torch.Tensor):
            return value.numel()
        inside = value if isinstance(value, list) else getattr(value, "__dict__", {}).values()
        return sum(map(held, inside))

    sizes = []
    for _ in range(3):
        for measure in measures:
            measure.update(*pairs(generator, 2, 8, 8))
        sizes.append(tuple(map(held, measures)))
    assert sizes == [(2 * (64 + 64 * 64), count * (64 + 64 + 1)) for count in (2, 4, 6)]


def test_measures_answer_to_the_protocol_and_say_their_weights(small):
    measure = SET_METRICS["fid64"].factory()
    assert isinstance(measure, SetMeasure)
    assert list(measure.origin) == ["random"]


def test_scores_are_records_that_json_holds(small, generator):
    measure = small("kid")
    measure.update(*pairs(generator, 3))
    score = measure.compute()
    assert msgspec.json.decode(msgspec.json.encode(score), type=SetScore) == score


@pytest.mark.parametrize("name", SET_METRICS)
def test_a_metric_without_its_weights_says_so(monkeypatch, tmp_path, name):
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(AssetError, match=r"^inception-fid(-partial)?.safetensors is not in"):
        SET_METRICS[name].factory()


def test_metrics_of_768_dimensions_run_on_the_real_weights(assets_folder, generator):
    target = torch.nn.functional.interpolate(torch.rand(3, 3, 5, 7, generator=generator), (80, 96), mode="bicubic")
    target = target.clamp(0, 1)
    noise = torch.randn(target.shape, generator=generator)
    names = ("fid768", "fid768_clean", "paired_kid768", "swd768")
    scores = []
    for restored in ((target + sigma * noise).clamp(0, 1) for sigma in (0.02, 0.2)):
        measures = {name: SET_METRICS[name].factory() for name in names}
        for measure in measures.values():
            measure.update(restored, target)
        scores.append({name: measure.compute() for name, measure in measures.items()})
    weak, strong = scores
    assert all(0 < weak[name].value < strong[name].value for name in names)
    assert weak["fid768"].value != weak["fid768_clean"].value
    assert "unreliable: 3 images for 768 dimensions" in weak["fid768"].note
    assert weak["paired_kid768"].error > 0


def test_plain_fid_is_refused_without_the_two_kernels(assets_folder):
    if (assets_folder / "inception-fid.safetensors").exists():
        pytest.skip("the whole network is at hand")
    for name in ("fid", "kid", "swd", "fid_clean", "kid_crops"):
        with pytest.raises(AssetError, match="ends at 768 dimensions, since it lacks Mixed_7b.branch3x3dbl_2"):
            SET_METRICS[name].factory()
