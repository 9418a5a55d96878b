"""Restored × target → number: every loss as a function, a module and a choice; sums of choices as objectives."""

from pdloss._types import OWN_LOSS
from pdloss.losses.adversarial import Adversarial, AdversarialLoss, adversarial_loss, critic_loss
from pdloss.losses.choice import FeatureChoice, LossChoice, Objective
from pdloss.losses.cobi import CoBi, CoBiCode, CoBiCodeLoss, CoBiLoss, cobi_code_loss, cobi_loss
from pdloss.losses.contextual import Contextual, ContextualLoss, contextual_loss
from pdloss.losses.distortion import WassersteinDistortion, WassersteinDistortionLoss, wasserstein_distortion
from pdloss.losses.fdl import FDL, FrequencyDistributionLoss, frequency_distribution_distance
from pdloss.losses.features import FeatureLoss
from pdloss.losses.frequency import FocalFrequency, FocalFrequencyLoss, focal_frequency_distance
from pdloss.losses.perceptual import Perceptual, PerceptualLoss, perceptual_distance
from pdloss.losses.pixel import L1, L2, PixelLoss, pixel_distance
from pdloss.losses.projected import PDL, ProjectedDistributionLoss, projected_distribution_distance
from pdloss.losses.similarity import (
    DISTS,
    LPIPS,
    MSSSIM,
    MSSSIML1,
    MetricLoss,
    MSSSIML1Loss,
    MSSSIMLoss,
    ms_ssim_distance,
    ms_ssim_l1_distance,
)
from pdloss.losses.weighted import LossTerms, WeightedSum
from pdloss.specs import Family
from pdloss.trust import RECEIVED, Trust

__all__ = [
    "DISTS",
    "FDL",
    "L1",
    "L2",
    "LOSSES",
    "LPIPS",
    "MSSSIM",
    "MSSSIML1",
    "PDL",
    "Adversarial",
    "AdversarialLoss",
    "CoBi",
    "CoBiCode",
    "CoBiCodeLoss",
    "CoBiLoss",
    "Contextual",
    "ContextualLoss",
    "FeatureChoice",
    "FeatureLoss",
    "FocalFrequency",
    "FocalFrequencyLoss",
    "FrequencyDistributionLoss",
    "LossChoice",
    "LossTerms",
    "MSSSIML1Loss",
    "MSSSIMLoss",
    "MetricLoss",
    "Objective",
    "Perceptual",
    "PerceptualLoss",
    "PixelLoss",
    "ProjectedDistributionLoss",
    "WassersteinDistortion",
    "WassersteinDistortionLoss",
    "WeightedSum",
    "adversarial_loss",
    "cobi_code_loss",
    "cobi_loss",
    "contextual_loss",
    "critic_loss",
    "focal_frequency_distance",
    "frequency_distribution_distance",
    "ms_ssim_distance",
    "ms_ssim_l1_distance",
    "objective",
    "perceptual_distance",
    "pixel_distance",
    "projected_distribution_distance",
    "wasserstein_distortion",
]

LOSSES = Family(
    "loss",
    (
        *(L1, L2, Perceptual, PDL),
        *(Contextual, CoBi, CoBiCode),
        *(LPIPS, DISTS, MSSSIM, MSSSIML1, FocalFrequency, FDL, WassersteinDistortion),
        Adversarial,
    ),
    OWN_LOSS,
)


def objective(text: str, trusted: Trust = RECEIVED) -> Objective:
    """Returns the sum that `text` writes, such as ``"l1 + 0.0003*pdl(features='distilled.relu4_3')"``.

    Args:
        text: The sum.
        trusted: Whose text it is; only `TYPED` may name a class of the user's own.

    Raises:
        SpecError: If a name, an option or a value is wrong, or names code that it may not name.
    """
    return Objective(LOSSES.parse_sum(text, trusted))
