"""Chains: order, text, factors, what was drawn, and what cannot follow what."""

import re
import sys

import pytest
import torch

from pdloss._types import Degradation
from pdloss.degradations import (
    DEGRADATIONS,
    JPEG,
    BayerMosaic,
    CameraShake,
    Chain,
    Downscale,
    GaussianNoise,
    Range,
    degradation,
    parse,
)
from pdloss.errors import ImageError, SpecError
from pdloss.specs import Own
from pdloss.specs.trust import TYPED

TEXTS = [
    "noise",
    "blur(support=15) | noise(sigma=0..0.02)",
    "downscale(factor=2) | noise(sigma=log(0.004..0.2)) | jpeg(quality=30..95)",
    "mosaic(noise=0) | poisson_gaussian(shot=0.01..0.02)",
    "jpeg(quality=95) | jpeg(subsampling='4:4:4')",
]


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module with degradations of a user's own, in the working folder."""
    (tmp_path / "pdloss_test_own_kind.py").write_text(
        "class Darker:\n"
        "    made = 0\n"
        "    def __init__(self, by=2, factor=1):\n"
        "        self.by, self.factor = by, factor\n"
        "        type(self).made += 1\n"
        "    def __call__(self, clean, generator):\n"
        "        return clean[..., :: self.factor, :: self.factor] / self.by\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield "pdloss_test_own_kind:Darker"
    sys.modules.pop("pdloss_test_own_kind", None)


@pytest.mark.parametrize("text", TEXTS)
def test_text_and_chain_say_the_same(text):
    chain = parse(text)
    assert parse(str(chain)) == parse(chain.in_full()) == chain
    assert len({chain, parse(chain.in_full())}) == 1
    if text != "mosaic(noise=0) | poisson_gaussian(shot=0.01..0.02)":
        assert str(chain) == text
    assert isinstance(chain, Degradation)


def test_the_first_written_is_the_first_applied(generator):
    clean = torch.rand(3, 16, 24, generator=generator)
    one, other = degradation("downscale(factor=2) | jpeg"), degradation("jpeg | downscale(factor=2)")
    small, coded = Downscale(factor=2), JPEG()
    assert torch.equal(one(clean, stream()), coded(small(clean, stream()), stream()))
    assert torch.equal(other(clean, stream()), small(coded(clean, stream()), stream()))
    assert not torch.equal(one(clean, stream()), other(clean, stream()))


def test_a_link_alone_is_built_as_itself():
    assert degradation("noise(clip=False)") == GaussianNoise(clip=False)
    assert parse("downscale(factor=2)").build() == Downscale(factor=2)
    assert parse("noise").in_full() == GaussianNoise().in_full() == DEGRADATIONS.parse("noise").in_full()
    assert isinstance(degradation("noise | jpeg"), Chain)


def test_a_chain_in_python_is_the_chain_in_text():
    chain = Chain((CameraShake(support=Range(1, 9)), GaussianNoise(sigma=0.01)))
    assert str(chain) == "blur(support=1..9) | noise(sigma=0.01)"
    assert parse(str(chain)) == chain


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("noise | jpeg", 1),
        ("downscale(factor=3) | noise", 3),
        ("downscale(factor=2) | downscale(factor=4)", 8),
        ("downscale(factor=2) | mosaic(layout='packed')", 4),
        ("downscale(factor=2) | mosaic", 2),
    ],
)
def test_the_factor_is_the_product_of_the_factors(text, factor, generator):
    chain = degradation(text)
    assert chain.factor == factor
    assert chain(torch.rand(3, 6 * factor, 4 * factor), generator).shape[1:] == (6, 4)


@pytest.mark.parametrize("text", TEXTS)
def test_drawing_and_applying_is_calling(text):
    clean = torch.rand(3, 24, 32, generator=stream(7))
    chain, moving = parse(text), stream(3)
    drawn = chain.drawn(moving)
    result = drawn(clean, moving)
    assert torch.equal(chain(clean, stream(3)), result)
    assert torch.equal(chain.build()(clean, stream(3)), result)
    if text != "jpeg(quality=95) | jpeg(subsampling='4:4:4')":
        assert not torch.equal(chain(clean, stream(4)), result)


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_of_what_was_drawn_makes_it_again(text):
    clean = torch.rand(3, 24, 32, generator=stream(7))
    moving = stream(3)
    drawn = parse(text).drawn(moving)
    after = moving.get_state()
    again = parse(drawn.in_full())
    assert again == drawn
    assert ".." not in drawn.in_full()
    assert torch.equal(again(clean, stream().set_state(after)), drawn(clean, moving))
    assert again.drawn(stream(9)) == drawn


def test_all_strengths_are_drawn_before_the_first_noise_and_differ_from_image_to_image():
    chain = parse("noise(sigma=0..1) | noise(sigma=0..1)")
    drawn = chain.drawn(stream())
    values = torch.rand(2, generator=stream(), dtype=torch.float64).tolist()
    assert [link.sigma for link in drawn.links] == pytest.approx(values)
    assert len({parse("noise(sigma=0..1)").drawn(stream(seed)) for seed in range(20)}) == 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mosaic | downscale", r"downscale cannot follow mosaic: .* only noise can .*; write downscale before mosaic"),
        ("mosaic | noise | downscale", "downscale cannot follow mosaic"),
        ("mosaic | jpeg", "jpeg cannot follow mosaic: .*; write jpeg before mosaic"),
        ("mosaic(layout='plane') | blur(support=3)", r"blur\(support=3\) cannot follow mosaic\(layout='plane'\)"),
        ("noise | mosaic | noise | mosaic", "mosaic cannot follow mosaic: .*; leave one out"),
    ],
)
def test_chains_that_make_no_sense_are_refused_when_built(text, said):
    with pytest.raises(SpecError, match=said):
        parse(text)
    with pytest.raises(SpecError, match=said):
        degradation(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("noise | blurr", "unknown degradation 'blurr'; did you mean 'blur'"),
        ("noise + jpeg", "one degradation follows another after a |"),
        ("jpeg(quality=0)", r"jpeg\(quality=0\): expected `int` >= 1"),
        ("jpeg(quality=101)", r"jpeg\(quality=101\): expected `int` <= 100"),
        ("jpeg(quality=10..101)", r"jpeg\(quality=10..101\): expected `int` <= 100"),
        ("jpeg(quality=0.5..90)", r"jpeg\(quality=0.5..90\): expected `int`"),
        ("noise(sigma=5..0)", "the range 5..0 runs downwards"),
        ("downscale(factor=2..4)", r"downscale\(factor=2..4\): expected one of 2, 3, 4, 8"),
        ("mosaic | blur(seed=0..4)", "expected one value, this option is not drawn from a range"),
        ("", "cannot read the degradation ''"),
    ],
)
def test_errors_name_the_word_at_fault(text, said):
    with pytest.raises(SpecError, match=said):
        parse(text)


def test_a_chain_of_nothing_is_refused():
    with pytest.raises(SpecError, match="needs at least one"):
        Chain(())


def test_an_image_of_which_no_pixels_would_be_left_is_refused(generator):
    chain = degradation("downscale(factor=8) | downscale(factor=4)")
    with pytest.raises(ImageError, match=r"31x64 .* too small for downscale\(factor=8\) \| .* at least 32 pixels"):
        chain(torch.rand(3, 31, 64), generator)


@pytest.mark.parametrize("noise", ["noise(sigma=0.3)", "poisson_gaussian(shot=0.2, read=0.3)"])
def test_noise_after_a_masked_mosaic_stays_on_the_sites_that_there_are(noise, generator):
    mosaic = BayerMosaic(noise=0.0)
    clean = torch.full((3, 20, 20), 0.5)
    sites = mosaic(torch.ones(3, 20, 20), generator) > 0
    noisy = degradation(f"mosaic(noise=0) | {noise}")(clean, generator)
    assert not noisy[~sites].any()
    assert noisy[sites].std() > 0.1
    packed = degradation(f"mosaic(noise=0, layout='packed') | {noise}")(clean, generator)
    assert packed.shape == (4, 10, 10)


def test_a_users_own_kind_is_built_once_and_may_stand_anywhere(own, generator):
    chain = parse(f"noise(sigma=0..0.1) | {own}(by=4)", TYPED)
    built = chain.build()
    kind = type(chain.kinds[1])
    assert kind.made == 1
    clean = torch.full((3, 6, 8), 0.5)
    for _ in range(3):
        assert abs(built(clean, generator).mean() - 0.125) < 0.02
    assert kind.made == 1
    assert chain.drawn(generator).kinds[1] is chain.kinds[1]
    assert str(chain) == f"noise(sigma=0..0.1) | {own}(by=4)"
    after = degradation(f"mosaic(layout='plane') | {own}(factor=2)", TYPED)
    assert after.factor == 2
    assert after(torch.rand(3, 6, 8), generator).shape == (1, 3, 4)


def test_a_users_own_kind_alone_is_that_object(own):
    assert type(degradation(own, TYPED)).__name__ == "Darker"
    assert parse(own, TYPED).links == (Own(own),)
    with pytest.raises(SpecError, match="No module named"):
        parse("pdloss_test_no_such:Kind", TYPED)


@pytest.mark.parametrize("text", ["os:getcwd", "noise | collections:Counter", "builtins:dict | jpeg"])
def test_what_makes_no_callable_is_no_degradation(text):
    with pytest.raises(SpecError, match=r"and not a degradation: a class whose objects are called with \(clean, gen"):
        parse(text, TYPED)
    with pytest.raises(SpecError, match="and not a degradation"):
        degradation(text, TYPED)


def test_an_own_class_made_in_python_must_be_callable_too():
    with pytest.raises(SpecError, match=r"is no degradation: .* of type dict, and no callable of \(clean, generator\)"):
        Chain((Own("builtins:dict"),))


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("blur, noise", "after a |, as in a | b"),
        ("blur + noise", "after a |, as in a | b"),
        ("NOISE", "did you mean 'noise'"),
        ("noise(**{})", "write every option as key=value"),
        ("noise(clip=no)", "True, False"),
        ("noise(sigma=25)", "grey levels are 25/255"),
        ("noise(sigma=0..5)", "grey levels are 5/255"),
    ],
)
def test_a_slip_is_answered_with_the_cure(text, cure):
    with pytest.raises(SpecError, match=re.escape(cure)):
        parse(text)
