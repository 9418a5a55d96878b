"""The loss in a Lightning module, and a callback that logs every term beside the total.

python examples/lightning_training.py PHOTOGRAPH
"""

from pathlib import Path
from typing import Any

import lightning
import torch
import tyro
from torch import Tensor, nn

import pdloss
from pdloss.images import read_image
from pdloss.losses import LossTerms

TEXT = "l1 + 0.05*multilayer_pdl + 0.5*phase"


class Restorer(lightning.LightningModule):
    """A network that is trained with a sum of losses, written as text."""

    def __init__(self, network: nn.Module, text: str = TEXT) -> None:
        super().__init__()
        self.network, self.criterion = network, pdloss.objective(text).build()

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> dict[str, Any]:
        degraded, target = batch  # RGB in [0, 1], (B, 3, H, W)
        terms = self.criterion(self.network(degraded), target)
        return {"loss": terms.total, "terms": terms}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.network.parameters(), lr=1e-3)


class LogTerms(lightning.Callback):
    """Logs the value of every term, before its weight."""

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: dict[str, Any], *rest: Any) -> None:
        terms: LossTerms = outputs["terms"]
        values = {f"train/{name}": value.detach() for name, value in terms.values.items()}
        module.log_dict(values | {"train/total": outputs["loss"]})


def train(photograph: tyro.conf.Positional[Path], steps: int = 100) -> None:
    """Trains a toy network to take noise off one photograph."""
    target = read_image(photograph)[None, :, :128, :128]
    pairs = [((target + 0.2 * torch.randn_like(target))[0], target[0]) for _ in range(steps)]
    options = {"logger": False, "enable_checkpointing": False, "accelerator": "auto", "max_epochs": 1}
    trainer = lightning.Trainer(callbacks=[LogTerms()], **options)
    trainer.fit(Restorer(nn.Conv2d(3, 3, 5, padding=2)), torch.utils.data.DataLoader(pairs))
    print({name: round(value.item(), 4) for name, value in trainer.callback_metrics.items()})


if __name__ == "__main__":
    tyro.cli(train)
