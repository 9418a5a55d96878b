"""The adversarial loss: how easily a critic, itself in training, tells restored images from real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from msgspec import Meta
from torch import Tensor, nn
from torch.func import functional_call

from pdloss.losses.checks import CheckedPair
from pdloss.losses.choice import LossChoice
from pdloss.losses.critics import CRITICS
from pdloss.losses.critics import critic as critic_named
from pdloss.ops.dtypes import at_least_float32
from pdloss.ops.options import check_option
from pdloss.specs.trust import TYPED

__all__ = ["Adversarial", "AdversarialLoss", "adversarial_loss", "critic_loss"]

Game = Literal["vanilla", "relativistic"]


def adversarial_loss(
    restored: Float[Tensor, "*logits"], target: Float[Tensor, "*logits"], *, objective: Game = "vanilla"
) -> Float[Tensor, ""]:
    r"""Returns what the restoration network minimises, given the critic's logits C.

    Vanilla, in the form that does not fade when the critic wins (Goodfellow et al. 2014):

    .. math:: -\mathbb{E} \log \sigma(C(\hat x))

    Relativistic average (Jolicoeur-Martineau 2018), where each is judged against the mean of the other kind:

    .. math:: -\mathbb{E} \log \sigma\left(C(\hat x) - \mathbb{E} C(x)\right)
              - \mathbb{E} \log \sigma\left(\mathbb{E} C(\hat x) - C(x)\right)

    Args:
        restored: Logits of restored images.
        target: Logits of real images, of the same shape.
        objective: ``vanilla`` or ``relativistic``.

    Raises:
        ValueError: If the objective is unknown.

    References:
        | Generative Adversarial Networks (Goodfellow et al., 2014), section 3
        | https://arxiv.org/abs/1406.2661
        | The relativistic discriminator (Jolicoeur-Martineau, 2018)
        | https://arxiv.org/abs/1807.00734
    """
    check_option(Game, objective=objective)
    if objective == "vanilla":
        return F.softplus(-restored).mean()
    return F.softplus(target.mean() - restored).mean() + F.softplus(target - restored.mean()).mean()


def critic_loss(
    restored: Float[Tensor, "*logits"], target: Float[Tensor, "*logits"], *, objective: Game = "vanilla"
) -> Float[Tensor, ""]:
    r"""Returns what the critic minimises, given its logits C: the negative log-likelihood of being right.

    .. math:: -\mathbb{E} \log \sigma(C(x)) - \mathbb{E} \log (1 - \sigma(C(\hat x)))

    for ``vanilla``; for ``relativistic`` each logit minus the mean of the other kind. A critic that knows nothing
    pays :math:`2 \log 2`.

    Args:
        restored: Logits of restored images.
        target: Logits of real images, of the same shape.
        objective: ``vanilla`` or ``relativistic``.

    Raises:
        ValueError: If the objective is unknown.

    Example:
        >>> critic_loss(torch.zeros(4, 1), torch.zeros(4, 1))
        tensor(1.3863)
    """
    check_option(Game, objective=objective)
    if objective == "relativistic":
        restored, target = restored - target.mean(), target - restored.mean()
    return F.softplus(-target).mean() + F.softplus(restored).mean()


class AdversarialLoss(nn.Module):
    """Measures how easily a critic recognises the restored images; `learn` trains the critic.

    A training loop calls the loss for its own step, then ``learn(restored.detach(), target)`` for the critic's. The
    critic's weights and its optimiser's state belong to what resuming needs.

    The value is not a mean of single values: batch norm and the relativistic means run over the batch.

    Args:
        critic: A name such as ``"unet"``, or a module that maps images (B, 3, H, W) in [0, 1] to logits, higher for
            real ones.
        objective: ``vanilla`` (SRGAN) or ``relativistic`` (average; ESRGAN).
        lr: Learning rate of the critic's Adam.

    Raises:
        ValueError: If the objective is unknown.
        SpecError: If the critic's name is.
    """

    def __init__(self, critic: str | nn.Module = "srgan", *, objective: Game = "vanilla", lr: float = 1e-4) -> None:
        super().__init__()
        self.check = CheckedPair()
        check_option(Game, objective=objective)
        self.critic = critic_named(critic) if isinstance(critic, str) else critic
        self.objective, self.lr = objective, lr
        self.optimiser = torch.optim.Adam(self.critic.parameters(), lr)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"optimiser": self.optimiser.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self.optimiser = torch.optim.Adam(self.critic.parameters(), self.lr)  # of the copy's own parameters
        self.optimiser.load_state_dict(state["optimiser"])

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        """Returns what the restoration network minimises; gradients reach `restored`, not the critic.

        Raises:
            ValueError: If the two are not floating-point RGB batches of one shape, or of a size the critic cannot take.
        """
        self.check(restored, target)
        constant = {name: parameter.detach() for name, parameter in self.critic.named_parameters()}
        judged = self._judged(restored, constant)
        with torch.no_grad():
            real = self._judged(target, constant) if self.objective == "relativistic" else judged
        return adversarial_loss(judged, real, objective=self.objective)

    def learn(self, restored: Tensor, target: Tensor, rate_share: float = 1.0) -> Tensor:
        """Takes one step of the critic, and returns the loss that it had before.

        Args:
            restored: Restored images (B, 3, H, W) in [0, 1], without a graph.
            target: Real ones.
            rate_share: Share of the full learning rate, as the schedule has it.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.lr * rate_share
        ours = dict(self.critic.named_parameters())
        real = self._judged(target, ours)  # first, since batch norm and spectral norm remember what they see
        loss = critic_loss(self._judged(restored.detach(), ours), real, objective=self.objective)
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        self.optimiser.step()
        return loss.detach()

    def _judged(self, images: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
        precision = next((p.dtype for p in parameters.values() if p.is_floating_point()), torch.float32)
        logits: Tensor = functional_call(self.critic, dict(parameters), (images.to(precision),))
        return at_least_float32(logits)


@dataclass(frozen=True)
class Adversarial(LossChoice, name="adversarial", module=AdversarialLoss):
    """How easily a critic in training tells restored from real: with a perceptual term, the paper's row SRGAN."""

    critic: str = "srgan"
    objective: Game = "vanilla"
    lr: Annotated[float, Meta(gt=0)] = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        CRITICS.parse(self.critic, TYPED)
