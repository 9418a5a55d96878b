"""What is measured, and how mosaics are shown, unless something else is asked for."""

from typing import Literal, TypeAlias

Demosaic: TypeAlias = Literal["malvar", "bilinear"]
"""How a mosaic becomes a picture without a network."""

CONSISTENCY = "consistency"
"""The name that stands for the scores of `pdloss.evaluation.consistency`, whichever the degradation has."""

FOLDER_METRICS = ("psnr", "psnr_y", "ms_ssim", "lpips")
"""Of pictures of which nothing is known but what they should be."""

DEFAULT_METRICS = (*FOLDER_METRICS, CONSISTENCY)
"""Of what a run restores."""
