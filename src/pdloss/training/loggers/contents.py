"""What loggers write, whichever they are: numbers by name, and pictures as panels."""

import hashlib

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from pdloss.ops.color import quantize
from pdloss.records import LogLine, RunRecord
from pdloss.training.watching import Picture

PROJECT = "pdloss"
"""What a run is kept under, where the user's own setting of that program says nothing else."""


def numbers(line: LogLine) -> dict[str, float]:
    """Returns all numbers of a line of the log, each under one name.

    Example:
        >>> line = LogLine(step=1, seconds=2.0, lr=0.1, total=0.3, terms={"l1": 0.3}, gradients={"l1": 1.0})
        >>> numbers(line)
        {'total': 0.3, 'lr': 0.1, 'seconds': 2.0, 'waiting': 0.0, 'term/l1': 0.3, 'gradient/l1': 1.0}
    """
    found = {"total": line.total, "lr": line.lr, "seconds": line.seconds, "waiting": line.waiting}
    kinds = {"term": line.terms, "gradient": line.gradients, "learner": line.learners, "valid": line.valid}
    return found | {f"{kind}/{name}": value for kind, values in kinds.items() for name, value in values.items()}


def panel(picture: Picture, side: int = 256) -> UInt8[np.ndarray, "h w 3"]:
    """Returns the middle of a picture, degraded, restored and target beside each other.

    Args:
        picture: The picture; what was degraded to fewer pixels is shown with larger ones, a mosaic in gray.
        side: Longest side of each of the three.
    """
    height, width = picture.target.shape[1:]
    top, left = max(0, height - side) // 2, max(0, width - side) // 2
    images = (picture.degraded, picture.restored, picture.target)
    shown = [_rgb(image, height, width)[:, top : top + side, left : left + side] for image in images]
    beside = quantize(torch.cat(shown, dim=2).float().nan_to_num().clamp(0, 1))
    return beside.mul(255).round().byte().permute(1, 2, 0).contiguous().numpy()


def identity(record: RunRecord) -> str:
    """Returns what one run is known by, before and after it was stopped: 16 letters."""
    said = f"{record.created} {record.network} {record.loss} {record.data_fingerprint} {record.seed}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _rgb(image: Float[Tensor, "c h w"], height: int, width: int) -> Float[Tensor, "3 h2 w2"]:
    colours = image if len(image) == 3 else image.mean(0, keepdim=True).expand(3, -1, -1)
    return torch.nn.functional.interpolate(colours[None].float(), (height, width))[0]
