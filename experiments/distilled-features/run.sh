#!/usr/bin/env bash
# Trains the feature network that ships with the package. About 25 minutes on two cores.
# Wants PDLOSS_ASSETS (vgg19-caffe) and PDLOSS_IMAGES (train/, extra/, valid/kodak24/).
set -euo pipefail
: "${PDLOSS_ASSETS:?}" "${PDLOSS_IMAGES:?}"
pdloss distill --teacher "vgg19.relu3_4+relu4_3" --widths 64 128 184 --blocks 1 2 2 \
    --images "$PDLOSS_IMAGES/train" "$PDLOSS_IMAGES/extra" --check "$PDLOSS_IMAGES/valid/kodak24" \
    --steps 8000 --batch 16 --crop 96 --lr 3e-3 --reuse 4 --seed 0 --out distilled.safetensors
