"""What is scored of a run: the pictures that its network makes of the inputs, or those that it made before."""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from pdloss import networks, runs
from pdloss.assets import sha256
from pdloss.datasets.prefetch import ThreadedCalls
from pdloss.devices import channels_last
from pdloss.errors import RunError, SpecError
from pdloss.evaluation.inputs import Input, comparable
from pdloss.evaluation.reuse import picture_file
from pdloss.images import read_image, write_image
from pdloss.ops.color import quantize
from pdloss.picture_files import written_names
from pdloss.records import is_model_folder
from pdloss.runs import RunFolder
from pdloss.runs.purposes import trained_for, weights_file
from pdloss.specs.trust import RECEIVED, Trust


def load_network(model: Path, device: torch.device, trusted: Trust = RECEIVED) -> nn.Module:
    """Returns a run's network with its newest weights, or that of a model folder or weights file, in eval mode.

    Args:
        model: Run folder; model folder; or a file that `pdloss.runs.RunFolder` or ``pdloss convert`` wrote, which names
            its network.
        device: Where to put it.
        trusted: Which modules the name of its network, which comes from the file, may name.

    Raises:
        SpecError: If the name is not one of pdloss's networks, nor allowed by `trusted`.
        RunError: If there are no weights, they do not fit the network, or the file names none.
    """
    text = trained_for(model).network
    if not text:
        raise RunError(f"{model} does not say to which network its weights belong; name the run folder instead")
    try:
        network = networks.network(text, trusted)
    except SpecError as error:
        raise SpecError(f"{model} names its network: {error}") from None
    if model.is_dir() and not is_model_folder(model):
        runs.RunFolder(model).load(network)
    else:
        runs.load_weights(weights_file(model), network)
    return channels_last(network).to(device).eval()


@torch.no_grad()
def restore_batch(network: nn.Module, degraded: Tensor) -> Tensor:
    """Returns the restored batch, clipped to [0, 1].

    Raises:
        RunError: If the network's output is not finite.
    """
    restored: Tensor = network(degraded)
    if not restored.isfinite().all():
        raise RunError("the network's output is not finite: its weights are damaged, evaluate an earlier checkpoint")
    return restored.clamp(0, 1)


class Stored:
    """Pictures that a run has restored before."""

    def __init__(self, folder: RunFolder, set_name: str, names: Sequence[str], device: torch.device) -> None:
        self.folder, self.device = folder, device
        self._set, self._files = set_name, written_names(names)

    def __call__(self, item: Input) -> Tensor:
        """Returns the picture as a batch of one.

        Raises:
            ImageError: If its file cannot be read.
        """
        return read_image(self.file(item.name))[None].to(self.device)

    def file(self, name: str, kind: Literal["restored", "degraded"] = "restored") -> Path:
        """Returns the file of a picture."""
        return picture_file(self.folder, self._set, self._files[name], kind)

    def sha256(self, name: str) -> str:
        """Returns the hash of the file."""
        return sha256(self.file(name))


class Restored(Stored):
    """Pictures that a run's network makes of the inputs; both are written while the next is in work."""

    def __init__(
        self,
        folder: RunFolder,
        set_name: str,
        names: Sequence[str],
        device: torch.device,
        behind: ThreadedCalls,
        trusted: Trust = RECEIVED,
    ) -> None:
        super().__init__(folder, set_name, names, device)
        self._behind, self._network = behind, load_network(folder.path, device, trusted)
        self._written: dict[str, Future[str]] = {}

    def __call__(self, item: Input) -> Tensor:
        """Returns the restored picture, rounded to 8 bits, as a batch of one.

        Raises:
            RunError: If the network's output is not finite, or has another size than the target.
        """
        restored = restore_batch(self._network, item.degraded[None].to(self.device))
        if restored.shape[1:] != item.target.shape:
            raise RunError(
                f"{self.folder.record().network} makes {tuple(restored.shape[1:])} of {tuple(item.degraded.shape)}, "
                f"but the target of {item.name} is {tuple(item.target.shape)}: {item.drawn} does not fit this network"
            )
        self._written[item.name] = self._behind.call(_write, self.file(item.name), restored[0].cpu())
        # A mosaic of one or four planes is no picture; what it would be without a network is.
        plain = (
            item.degraded
            if len(item.degraded) == 3
            else comparable(item.degraded[None], item.target[None], item.drawn)[0]
        )
        self._behind.call(write_image, self.file(item.name, "degraded"), plain)
        return quantize(restored).contiguous()  # as it is read again: sums do not depend on how it lies

    def sha256(self, name: str) -> str:
        """Returns the hash of the file written."""
        return self._written[name].result()

    def written(self) -> None:
        """Waits until every picture is on disk.

        Raises:
            OSError: If one could not be written.
        """
        for written in self._written.values():
            written.result()


def _write(path: Path, restored: Tensor) -> str:
    write_image(path, restored)
    return sha256(path)
