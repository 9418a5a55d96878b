"""The options of ``pdloss bench``."""

from dataclasses import dataclass

from pdloss.errors import SpecError
from pdloss.specs.options import TypedOptions


@dataclass(frozen=True)
class LossBenchConfig(TypedOptions):
    """Which losses to measure, and on what."""

    device: str = "auto"
    """Such as cpu, cuda or cuda:1; auto takes a GPU if there is one."""
    network: str = "edsr(blocks=8, unshuffle=2)"
    """Network that is trained."""
    crop: int = 128
    """Side of the network's input, in pixels."""
    batch: int = 8
    """Images per step."""
    repeats: int = 9
    """How often each loss is timed."""
    features: str = "vgg19.relu4_3"
    """Features of every loss in the default list that uses any."""
    losses: tuple[str, ...] = ()
    """Such as "l1 + 0.05*multilayer_pdl + 0.5*phase"; by default one of every kind, added to l1."""

    def validate(self) -> None:
        """Refuses numbers that make no sense.

        Raises:
            SpecError: Naming the option and its value.
        """
        for name in ("crop", "batch", "repeats"):
            if getattr(self, name) < 1:
                raise SpecError(f"--{name} must be at least 1, got {getattr(self, name)}")
