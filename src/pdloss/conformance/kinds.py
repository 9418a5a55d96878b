"""The kinds of losses on feature maps."""

from typing import Literal

Kind = Literal["distribution", "perceptual"]
"""What a loss compares: which values occur, or what stands in each place."""
