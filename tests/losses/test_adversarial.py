"""The adversarial loss: its formulas with plain logarithms, who gets gradients, and that both sides learn."""

import math

import pytest
import torch
from torch import Tensor, nn

from pdloss.losses import AdversarialLoss, adversarial_loss, critic_loss, objective


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


REAL, RESTORED = [0.5, 2.0, -1.0], [-0.3, 1.5, 0.2]


def test_vanilla_is_the_negative_log_likelihood() -> None:
    for_network = -sum(math.log(sigmoid(c)) for c in RESTORED) / 3
    for_critic = -sum(math.log(sigmoid(r)) + math.log(1 - sigmoid(f)) for r, f in zip(REAL, RESTORED, strict=True)) / 3
    assert adversarial_loss(torch.tensor(RESTORED), torch.tensor(REAL)).item() == pytest.approx(for_network, rel=1e-6)
    assert critic_loss(torch.tensor(RESTORED), torch.tensor(REAL)).item() == pytest.approx(for_critic, rel=1e-6)


def test_relativistic_judges_each_against_the_mean_of_the_other_kind() -> None:
    real_mean, restored_mean = sum(REAL) / 3, sum(RESTORED) / 3
    real = [sigmoid(r - restored_mean) for r in REAL]
    restored = [sigmoid(f - real_mean) for f in RESTORED]
    for_critic = -sum(math.log(r) for r in real) / 3 - sum(math.log(1 - f) for f in restored) / 3
    for_network = -sum(math.log(1 - r) for r in real) / 3 - sum(math.log(f) for f in restored) / 3
    logits = torch.tensor(RESTORED), torch.tensor(REAL)
    assert critic_loss(*logits, objective="relativistic").item() == pytest.approx(for_critic, rel=1e-6)
    assert adversarial_loss(*logits, objective="relativistic").item() == pytest.approx(for_network, rel=1e-6)


class Brightness(nn.Module):
    """A critic that judges by the mean of the image alone."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(1.0))

    def forward(self, images: Tensor) -> Tensor:
        return self.slope * images.mean((1, 2, 3)).unsqueeze(1)


@pytest.mark.parametrize("kind", ["vanilla", "relativistic"])
def test_the_network_is_pulled_towards_what_the_critic_takes_for_real(kind: str) -> None:
    loss = AdversarialLoss(Brightness(), objective=kind)
    restored, target = torch.full((2, 3, 8, 8), 0.3, requires_grad=True), torch.rand(2, 3, 8, 8, requires_grad=True)
    loss(restored, target).backward()
    assert (restored.grad < 0).all(), "brighter images pass for real"
    assert target.grad is None
    assert loss.critic.slope.grad is None


@pytest.mark.parametrize("kind", ["vanilla", "relativistic"])
def test_the_critic_learns_to_tell_them_apart(kind: str, generator: torch.Generator) -> None:
    torch.manual_seed(0)
    loss = objective(f"adversarial(critic='unet(width=4)', objective='{kind}', lr=0.002)").build()
    (learner,) = loss.learners.values()
    target = torch.rand(4, 3, 16, 16, generator=generator)
    smooth = nn.functional.avg_pool2d(target, 5, 1, 2)
    said = [learner.learn(smooth, target, 1.0).item() for _ in range(60)]
    assert said[0] == pytest.approx(2 * math.log(2), abs=0.3)
    assert said[-1] < 0.5
    assert loss(smooth, target).total > loss(target, target).total


def test_learning_leaves_the_restored_batch_alone_and_follows_the_schedule(generator: torch.Generator) -> None:
    loss = AdversarialLoss(Brightness(), lr=0.5)
    restored, target = torch.rand(2, 1, 3, 8, 8, generator=generator)
    restored.requires_grad_()
    before = loss.critic.slope.item()
    loss.learn(restored, target, 0.0)
    assert loss.critic.slope.item() == before
    loss.learn(restored, target, 0.1)
    assert abs(loss.critic.slope.item() - before) == pytest.approx(0.05, rel=1e-3)  # Adam's first step is the rate
    assert restored.grad is None


def test_the_critics_weights_are_its_own_in_the_state(generator: torch.Generator) -> None:
    loss = objective("l1 + 0.001*adversarial(critic='unet(width=2)')").build()
    assert any("critic" in name for name in loss.state_dict())
    assert list(loss.learners) == ["adversarial"]
    image = torch.rand(1, 3, 16, 16, generator=generator)
    assert loss.learn(image, image, 1.0).keys() == {"adversarial"}
