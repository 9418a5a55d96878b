"""Losses in the registries of other trainers, made from their documentation: no such trainer is needed."""

import sys
import types

import pytest
import torch

from pdloss.adapters.basicsr import register
from pdloss.errors import SpecError, UserError
from pdloss.losses import LOSSES, objective
from tests.losses.every import EVERY, pair


class Registry:
    """As BasicSR's: names are those of the classes; a name that is taken is refused."""

    def __init__(self):
        self.kinds = {}

    def register(self, kind):
        assert kind.__name__ not in self.kinds
        self.kinds[kind.__name__] = kind

    def __contains__(self, name):
        return name in self.kinds


def build_loss(registry, options):
    """As theirs: the type is taken out, all else are the constructor's keywords."""
    options = dict(options)
    return registry.kinds[options.pop("type")](**options)


@pytest.fixture
def registry():
    registry = Registry()
    register(registry)
    return registry


def test_every_loss_is_there_under_its_name_and_twice_does_no_harm(registry):
    assert set(registry.kinds) == {"pdloss", *(f"pdloss_{name}" for name in LOSSES.table)}
    register(registry)


@pytest.mark.parametrize("text", [text for text in EVERY if "projection=" not in text and "lpips" not in text
                                  and "dists" not in text])  # fmt: skip
def test_built_from_options_it_is_what_the_text_builds(registry, text, generator):
    restored, target = pair(generator)
    name, _, inside = text.partition("(")
    options = eval(f"dict({inside}") if inside else {}
    torch.manual_seed(0)
    loss = build_loss(registry, {"type": f"pdloss_{name}", "loss_weight": 0.5, **options})
    torch.manual_seed(0)
    expected = objective(text).build()(restored, target).total
    torch.testing.assert_close(loss(restored, target), 0.5 * expected)


def test_a_whole_sum_is_one_loss(registry, generator):
    text = "l1 + 0.001*pdl(features='distilled.relu3_3')"
    images = pair(generator)
    loss = build_loss(registry, {"type": "pdloss", "loss": text, "loss_weight": 2.0})
    torch.testing.assert_close(loss(*images), 2 * objective(text).build()(*images).total)


def test_a_critic_learns_before_it_judges(registry, generator):
    restored, target = pair(generator)
    loss = build_loss(registry, {"type": "pdloss_adversarial", "critic": "unet(width=2)", "loss_weight": 0.1})
    before = [parameter.clone() for parameter in loss.loss.critic.parameters()]
    loss(restored.requires_grad_(), target).backward()
    assert restored.grad.abs().sum() > 0
    assert any(not torch.equal(a, b) for a, b in zip(before, loss.loss.critic.parameters(), strict=True))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"type": "pdloss_pdl", "wieght": 1}, "wieght"),
        ({"type": "pdloss_l1", "reduction": "sum"}, "pdloss_l1 knows the reduction 'mean' alone, got 'sum'"),
        ({"type": "pdloss", "losses": "l1"}, "takes loss: .*got losses"),
        ({"type": "pdloss_perceptual", "features": "os:system"}, "os"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(registry, options, said):
    with pytest.raises(SpecError, match=said):
        build_loss(registry, options)


def test_the_registry_of_the_program_that_is_imported_is_found(monkeypatch):
    with pytest.raises(UserError, match=r"no registry of losses was found \(basicsr: .*give it"):
        register()
    registry = Registry()
    for name in ("traiNNer", "traiNNer.utils", "traiNNer.utils.registry"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["traiNNer.utils.registry"].LOSS_REGISTRY = registry
    register()
    assert "pdloss_pdl" in registry
