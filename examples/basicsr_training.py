"""Losses in a trainer built on BasicSR (traiNNer-redux and neosr alike): two lines before it starts.

    python examples/basicsr_training.py -opt options/train/SRResNet.yml

The file of options then says, under `train`:

    pixel_opt:
      type: pdloss
      loss: "l1 + 0.05*multilayer_pdl + 0.5*phase"
      loss_weight: 1.0

or one loss by its name, with its options: `type: pdloss_pdl`, `features: vgg16.relu4_3`, `loss_weight: 0.002`.
"""

import runpy

from pdloss.adapters import basicsr

if __name__ == "__main__":
    basicsr.register()
    runpy.run_module("basicsr.train", run_name="__main__")
