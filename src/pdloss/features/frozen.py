"""What all feature extractors share: frozen buffers, eval mode, layer names, the smallest side."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pdloss import assets
from pdloss.errors import AssetError, RunError, SpecError
from pdloss.files.tensors import read_tensors, unverified
from pdloss.limits import check_header
from pdloss.specs import suggestion


class Frozen(nn.Module):
    """Base of the extractors: weights are non-persistent buffers, and the mode is always eval.

    Attributes:
        layers: Names of the maps that `forward` returns, in order.
        minimum_side: Smallest height and width that leave one position in every map.
        origin: What the weights are, for the record of a run: file name to hash and input convention.
    """

    layers: tuple[str, ...] = ()
    minimum_side: int = 1
    origin: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.origin = {}
        self.training = False

    def train(self, mode: bool = True) -> "Frozen":
        """Stays in eval mode, whatever the parent module does."""
        return super().train(False)

    def freeze(self, name: str, value: Tensor) -> None:
        """Holds a constant: it follows the module's device, is not trained and is in no state dict."""
        self.register_buffer(name, value, persistent=False)

    def frozen(self, name: str) -> Tensor:
        """Returns a constant held by `freeze`."""
        return cast(Tensor, getattr(self, name))

    def check_side(self, images: Tensor) -> None:
        """Refuses images too small for the deepest layer.

        Raises:
            ValueError: If height or width is below `minimum_side`.
        """
        height, width = images.shape[-2:]
        if min(height, width) < self.minimum_side:
            raise ValueError(
                f"images of {height}x{width} are too small for {'+'.join(self.layers)}, "
                f"which needs at least {self.minimum_side} pixels a side"
            )

    @staticmethod
    def describe(path: Path) -> dict[str, str]:
        """Returns the record of a weights file: its name, hash and input convention."""
        convention = assets.metadata(path).get("input_convention", "not stated")
        return {path.stem: f"sha256 {assets.sha256(path)}; {convention}"}


def read_weights(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a safetensors file.

    Raises:
        AssetError: If the file is damaged.
    """
    try:
        check_header(path)
        # Files that carry a digest are our users' own; the others' hashes were compared when they were found.
        return load_file(path) if unverified(path) else read_tensors(path).tensors
    except (SafetensorError, RunError, ValueError) as error:
        raise AssetError(f"{path} is damaged ({error}); fetch or write it anew") from None


def chosen_layers(asked: Sequence[str], known: Sequence[str], backbone: str) -> tuple[str, ...]:
    """Returns the layers asked for, each once.

    Raises:
        SpecError: If one is unknown, or none is given.
    """
    if not asked:
        raise SpecError(f"{backbone} needs at least one layer, such as {backbone}.{known[-2 if len(known) > 1 else 0]}")
    for layer in asked:
        if layer not in known:
            raise SpecError(f"{backbone} has no layer {layer!r}{suggestion(layer, known)}")
    return tuple(dict.fromkeys(asked))
