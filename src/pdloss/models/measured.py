"""The sets that models are measured on, known by what their pictures show: none of them may be trained on."""

from importlib import resources

import msgspec

from pdloss.datasets import same_pictures


def measured_sets() -> dict[str, dict[str, str]]:
    """Returns the `pdloss.datasets.picture_hash` of each picture of Kodak24, Set5 and Set14, by set and name."""
    text = resources.files("pdloss.models").joinpath("measured.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, str]])


def leaks(trained_on: dict[str, str]) -> list[str]:
    """Returns in words each picture of those sets that seems to be trained on.

    Args:
        trained_on: Name to `picture_hash` of every picture trained on.
    """
    return [
        f"{measured} of {name} (as {trained})"
        for name, pictures in measured_sets().items()
        for trained, measured in same_pictures(trained_on, pictures)
    ]
