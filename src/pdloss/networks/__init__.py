"""Degraded → restored: each network is a choice, and builds a module."""

from torch import nn

from pdloss.networks.edsr import EDSR, EDSRNetwork
from pdloss.specs import Family

__all__ = ["EDSR", "NETWORKS", "EDSRNetwork", "network"]

NETWORKS = Family("network", (EDSR,))


def network(text: str) -> nn.Module:
    """Returns the network that `text` names, such as ``"edsr(blocks=8, unshuffle=2)"``, with fresh weights.

    Raises:
        SpecError: If the name or a value is wrong.
    """
    built: nn.Module = NETWORKS.parse(text).build()
    return built
