"""Degraded → restored: each network is a choice, and builds a module."""

from torch import nn

from pdloss.networks.dsdeblur import DsDeblur
from pdloss.networks.edsr import EDSR, EDSRNetwork
from pdloss.networks.multiscale import MultiScaleNetwork
from pdloss.networks.nafnet import NAFNet, NAFNetwork
from pdloss.networks.srn import SRN
from pdloss.networks.srresnet import SRResNet, SRResNetwork
from pdloss.specs import Family

__all__ = [
    "EDSR",
    "NETWORKS",
    "SRN",
    "DsDeblur",
    "EDSRNetwork",
    "MultiScaleNetwork",
    "NAFNet",
    "NAFNetwork",
    "SRResNet",
    "SRResNetwork",
    "network",
]

NETWORKS = Family("network", (EDSR, SRN, DsDeblur, SRResNet, NAFNet))


def network(text: str) -> nn.Module:
    """Returns the network that `text` names, such as ``"edsr(blocks=8, unshuffle=2)"``, with fresh weights.

    Raises:
        SpecError: If the name or a value is wrong.
    """
    built: nn.Module = NETWORKS.parse(text).build()
    return built
