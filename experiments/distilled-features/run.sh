#!/usr/bin/env bash
# Trains the feature networks that ship with the package: about 25 minutes (first) and four hours (second) on two cores.
# Wants PDLOSS_ASSETS (vgg19-caffe, vgg16-torchvision) and PDLOSS_IMAGES (train/, extra/, valid/kodak24/).
#   ./run.sh first|second
set -euo pipefail
: "${PDLOSS_ASSETS:?}" "${PDLOSS_IMAGES:?}"
common=(--images "$PDLOSS_IMAGES/train" "$PDLOSS_IMAGES/extra" --check "$PDLOSS_IMAGES/valid/kodak24")
common+=(--batch 16 --lr 3e-3 --reuse 4 --seed 0)
case "${1:-second}" in
first) pdloss distill --teacher "vgg19.relu3_4+relu4_3" --widths 64 128 184 --blocks 1 2 2 "${common[@]}" \
    --steps 8000 --crop 96 --out distilled-1.safetensors ;;
second) pdloss distill --teacher "vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3" --widths 16 64 128 192 \
    --blocks 1 1 2 2 --start 1 --differences 0.1 "${common[@]}" --steps 10000 --crop 64 --out distilled.safetensors ;;
esac
