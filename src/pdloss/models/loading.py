"""A trained network, by its name."""

from pathlib import Path

from torch import nn

from pdloss.devices import chosen_device
from pdloss.evaluation import load_network
from pdloss.models.shelf import place_of
from pdloss.specs.trust import RECEIVED, Trust


def load(model: str | Path, device: str = "auto", trusted: Trust = RECEIVED) -> nn.Module:
    """Returns a trained network in eval mode: RGB images in [0, 1], (B, 3, H, W), to restored ones, to be clipped.

    Args:
        model: Name of a model that ships; run folder; model folder; file of weights that names its network; or
            repository of the Hub, as ``owner/name`` or ``owner/name@revision`` (``pdloss[hub]``). A folder of that name
            comes first: ``hf://owner/name`` means the repository in any case.
        device: As in training.
        trusted: Which modules the name of its network, which comes from a file, may name.

    Raises:
        RunError: If there is no such model, or it cannot be had or used.
        SpecError: If it names no network that may be built.
        MissingExtraError: If it is a repository, and huggingface_hub is not installed.
    """
    return load_network(place_of(model), chosen_device(device), trusted)
