"""Pictures with texture, for measures of natural scenes."""

import torch

from pdloss.images import to_bytes


def textured(generator, height=200, width=290, count=1, strength=0.15):
    """Waves with noise whose strength rises from left to right, on 8-bit levels."""
    rows, columns = torch.arange(height).view(-1, 1), torch.arange(width).view(1, -1)
    phase = 6 * torch.rand(count, 3, 1, 1, generator=generator)
    waves = 0.5 + 0.2 * torch.sin(rows / 9 + phase) + 0.15 * torch.sin(columns / 23 + rows / 31 - phase)
    noise = torch.randn(count, 3, height, width, generator=generator) * torch.linspace(0.1, 1, width)
    return (255 * (waves + strength * noise).clamp(0, 1)).round() / 255


def pixels_of(image):
    """The picture as 8-bit numbers (h, w, 3)."""
    return to_bytes(image).permute(1, 2, 0).numpy()
