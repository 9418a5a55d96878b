"""The weighted sum: its total, its terms, features computed once."""

import pytest
import torch
from torch import Tensor

import pdloss
from pdloss.features import DistilledFeatures
from pdloss.losses import WeightedSum, objective
from tests.losses.tiny import TinyFeatures


def test_total_is_the_weighted_sum_of_the_values(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    terms = objective("l1 + 0.5*l2 + 0.001*pdl(features='distilled.relu4_3')").build()(restored, target)
    assert list(terms.values) == ["l1", "l2", "pdl"]
    assert terms.weights == {"l1": 1, "l2": 0.5, "pdl": 0.001}
    torch.testing.assert_close(terms.values["l1"], (restored - target).abs().mean())
    torch.testing.assert_close(
        terms.values["pdl"], pdloss.ProjectedDistributionLoss("distilled.relu4_3")(restored, target)
    )
    expected = sum(terms.weights[name] * value for name, value in terms.values.items())
    torch.testing.assert_close(terms.total, expected)


def test_features_are_computed_once_however_many_terms_use_them(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, bool]] = []
    forward = DistilledFeatures.forward

    def counted(self: DistilledFeatures, images: Tensor) -> dict[str, Tensor]:
        asked.append((len(self.layers), torch.is_grad_enabled()))
        return forward(self, images)

    monkeypatch.setattr(DistilledFeatures, "forward", counted)
    text = "pdl(features='distilled.relu4_3') + perceptual(features='distilled.relu3_3') + pdl(features='distilled')"
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=generator)
    terms = objective(text).build()(restored.requires_grad_(), target)
    assert sorted(asked) == [(4, False), (4, True)], "once for the target without a graph, once for the restored"
    assert list(terms.values) == ["pdl", "perceptual", "pdl_2"]
    alone = pdloss.ProjectedDistributionLoss("distilled.relu4_3")(restored, target)
    torch.testing.assert_close(terms.values["pdl"], alone)
    assert terms.values["pdl_2"].item() != terms.values["pdl"].item()


def test_gradient_reaches_the_restored_image_only(generator: torch.Generator) -> None:
    restored, target = (torch.rand(1, 3, 16, 16, generator=generator, requires_grad=True) for _ in range(2))
    objective("l1 + 0.01*pdl(features='distilled.relu3_3')").build()(restored, target).total.backward()
    assert restored.grad is not None
    assert target.grad is None


def test_holds_nothing_to_train_or_to_save() -> None:
    module = objective("l1 + pdl(features='distilled.relu4_3')").build()
    assert not list(module.parameters())
    assert not module.state_dict()
    assert list(module.origin) == ["distilled"]


def test_a_module_of_ones_own_gives_the_features(generator: torch.Generator) -> None:
    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    tiny = TinyFeatures()
    loss = pdloss.ProjectedDistributionLoss(tiny)
    terms = WeightedSum(["a", "b"], [1.0, 1.0], [loss, loss])(restored, target)
    assert tiny.calls == 2
    torch.testing.assert_close(terms.values["a"], terms.values["b"])
