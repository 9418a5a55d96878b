"""Restored × target → number: every loss as a function, a module and a choice; sums of choices as objectives."""

from pdloss.losses.adversarial import Adversarial, AdversarialLoss, adversarial_loss, critic_loss
from pdloss.losses.choice import FeatureChoice, LossChoice, Objective
from pdloss.losses.features import FeatureLoss
from pdloss.losses.perceptual import Perceptual, PerceptualLoss, perceptual_distance
from pdloss.losses.pixel import L1, L2, PixelLoss, pixel_distance
from pdloss.losses.projected import PDL, ProjectedDistributionLoss, projected_distribution_distance
from pdloss.losses.weighted import LossTerms, WeightedSum
from pdloss.specs import Family

__all__ = [
    "L1",
    "L2",
    "LOSSES",
    "PDL",
    "Adversarial",
    "AdversarialLoss",
    "FeatureChoice",
    "FeatureLoss",
    "LossChoice",
    "LossTerms",
    "Objective",
    "Perceptual",
    "PerceptualLoss",
    "PixelLoss",
    "ProjectedDistributionLoss",
    "WeightedSum",
    "adversarial_loss",
    "critic_loss",
    "objective",
    "perceptual_distance",
    "pixel_distance",
    "projected_distribution_distance",
]

LOSSES = Family("loss", (L1, L2, Perceptual, PDL, Adversarial))


def objective(text: str) -> Objective:
    """Returns the sum that `text` writes, such as ``"l1 + 0.01*pdl(features='distilled.relu4_3')"``.

    Raises:
        SpecError: If a name, an option or a value is wrong.
    """
    return Objective(LOSSES.parse_sum(text))
