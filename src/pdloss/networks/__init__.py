"""Degraded → restored: each network is a choice, and builds a module."""

import torch
from torch import nn

from pdloss._types import OWN_NETWORK
from pdloss.errors import SpecError
from pdloss.limits import NETWORK_PARAMETERS
from pdloss.networks.dsdeblur import DsDeblur
from pdloss.networks.edsr import EDSR, EDSRNetwork
from pdloss.networks.multiscale import MultiScaleNetwork
from pdloss.networks.nafnet import NAFNet, NAFNetwork
from pdloss.networks.srn import SRN
from pdloss.networks.srresnet import SRResNet, SRResNetwork
from pdloss.specs import Choice, Family, Own
from pdloss.specs.trust import RECEIVED, Trust

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
    "check_size",
    "network",
]

NETWORKS = Family("network", (EDSR, SRN, DsDeblur, SRResNet, NAFNet), OWN_NETWORK)


def network(text: str, trusted: Trust = RECEIVED) -> nn.Module:
    """Returns the network that `text` names, such as ``"edsr(blocks=8, unshuffle=2)"``, with fresh weights.

    Args:
        text: The network.
        trusted: Whose text it is; only `TYPED` may name a class of the user's own.

    Raises:
        SpecError: If the name or a value is wrong, or names code that it may not name.
    """
    choice = NETWORKS.parse(text, trusted)
    check_size(choice)
    built: nn.Module = choice.build()
    return built


def check_size(choice: Choice) -> None:
    """Refuses a network that no machine has the memory for, before it is built.

    Raises:
        SpecError: With the number of its parameters.
    """
    if isinstance(choice, Own):  # whose constructor may want real memory
        return
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in choice.build().parameters())
    if count > NETWORK_PARAMETERS:
        raise SpecError(
            f"{choice} would have {count:,} parameters, and at most {NETWORK_PARAMETERS:,} are made room for"
        )
