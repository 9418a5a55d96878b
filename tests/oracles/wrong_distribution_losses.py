"""Three losses that go by the name of a projected distribution loss and are none: for the tests to find out.

NOT FOR USE. Slow re-creations, from descriptions in words alone, of what circulating code does to feature maps
(B, C, H, W) under that name. None of them compares the distributions of features over positions; each returns one value
per image.
"""

import torch
from torch import Tensor


def projects_positions(restored: Tensor, target: Tensor) -> Tensor:
    """WRONG: the axis of positions is projected, and the projections are sorted along channels."""
    u, v = restored.flatten(2), target.flatten(2)
    directions = _unit_directions(16, u.shape[2], u.dtype)
    values = []
    for one, other in zip(u, v, strict=True):
        gaps = [(_sorted(one @ way) - _sorted(other @ way)).abs().mean() for way in directions]
        values.append(torch.stack(gaps).mean())
    return torch.stack(values)


def reshapes_without_transposing(restored: Tensor, target: Tensor) -> Tensor:
    """WRONG: (C, H, W) is read as (H W, C) without moving axes, so that each row mixes channels and positions."""
    channels = restored.shape[1]
    directions = _unit_directions(16, channels, restored.dtype)
    values = []
    for one, other in zip(restored, target, strict=True):
        rows_u, rows_v = one.reshape(-1, channels), other.reshape(-1, channels)
        gaps = [(_sorted(rows_u @ way) - _sorted(rows_v @ way)).abs().mean() for way in directions]
        values.append(torch.stack(gaps).mean())
    return torch.stack(values)


def sums_along_the_raster(restored: Tensor, target: Tensor) -> Tensor:
    """WRONG: each map is scaled to mass 1 and summed up row after row: it compares places of mass, not values.

    The description says nothing of empty maps; the small number that keeps them finite here is kindness.
    """
    values = []
    for one, other in zip(restored, target, strict=True):
        gaps = []
        for map_u, map_v in zip(one, other, strict=True):
            mass_u, mass_v = (map_.flatten() / (map_.sum() + 1e-8) for map_ in (map_u, map_v))
            gaps.append((mass_u.cumsum(0) - mass_v.cumsum(0)).abs().sum())
        values.append(torch.stack(gaps).mean())
    return torch.stack(values)


def _unit_directions(count: int, size: int, dtype: torch.dtype) -> Tensor:
    """Fresh ones in each call, from torch's own generator."""
    directions = torch.randn(count, size, dtype=dtype)
    return directions / directions.norm(dim=1, keepdim=True)


def _sorted(values: Tensor) -> Tensor:
    return torch.sort(values).values
