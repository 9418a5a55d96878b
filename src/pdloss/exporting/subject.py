"""What is exported: a network with its weights, and all that must be said to use it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pdloss import __version__, networks
from pdloss.evaluation import load_network, restore_batch
from pdloss.runs.purposes import trained_for
from pdloss.specs.trust import RECEIVED, Trust


@dataclass(frozen=True)
class Subject:
    """A network in float32 and eval mode on the CPU, and what it is.

    Args:
        network: The network.
        text: The network as text, which builds it anew.
        said: What is written into every file: strings by name.
    """

    network: nn.Module
    text: str
    said: dict[str, str]

    @property
    def multiple(self) -> int:
        """What the network makes sides larger to a multiple of."""
        return int(getattr(self.network, "multiple", 1))


def subject(model: Path, trusted: Trust = RECEIVED) -> Subject:
    """Returns what a run folder or a file of weights holds.

    Args:
        model: Either.
        trusted: Which modules its text may name.

    Raises:
        RunError: If it is neither, has no weights, or its output is not finite.
        SpecError: If its text names no network that may be built.
    """
    known = trained_for(model)
    network = load_network(model, torch.device("cpu"), trusted)
    text = networks.NETWORKS.parse(known.network or "", trusted).in_full()
    probe = torch.linspace(0, 1, 3 * 32 * 32).view(1, 3, 32, 32)
    scale = restore_batch(network, probe).shape[-1] / 32
    told = {"task": known.task, "degradation": known.degradation, "crop": known.crop and str(known.crop)}
    return Subject(network, text, {
        "format": "pt",
        "network": text,
        "scale": f"{scale:g}",
        "range": "[0, 1]",
        "colour": "RGB",
        "input": "degraded: float32, (batch, 3, height, width)",
        "output": "restored: float32, (batch, 3, scale * height, scale * width), to be clipped to [0, 1]",
        "made_by": f"pdloss {__version__}",
        **{name: value for name, value in told.items() if value},
    })  # fmt: skip
