"""A sum of losses as a loss of deepinv, for its Trainer: `losses=[PdlossLoss("l1 + 0.002*pdl")]`."""

from typing import Any

from deepinv.loss import Loss
from torch import Tensor

import pdloss


class PdlossLoss(Loss):
    """Measures a weighted sum of losses between reconstruction and reference, RGB in [0, 1].

    Args:
        text: The sum.
    """

    def __init__(self, text: str = "l1 + 0.05*multilayer_pdl + 0.5*phase") -> None:
        super().__init__()
        self.criterion = pdloss.objective(text).build()

    def forward(self, x_net: Tensor, x: Tensor, y: Tensor, physics: Any, model: Any, **kwargs: Any) -> Tensor:
        total: Tensor = self.criterion.to(x_net.device)(x_net, x).total
        return total
