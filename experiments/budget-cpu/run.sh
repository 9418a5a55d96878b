#!/usr/bin/env bash
# How long the budget for processors takes: one task whole and scored on Kodak24, the first 150 steps of the others.
# Wants PDLOSS_ASSETS (alexnet-torchvision, lpips-alex) and PDLOSS_IMAGES (train/, valid/kodak24/).
# About ten minutes on two cores.
set -euo pipefail
: "${PDLOSS_ASSETS:?}" "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/budget-cpu}

for task in sr deblur jpeg demosaic; do
    pdloss train --budget cpu --task $task --data "$PDLOSS_IMAGES/train" --out "$runs/$task" --steps 150
done
pdloss train --budget cpu --task denoise --data "$PDLOSS_IMAGES/train" --out "$runs/denoise"
pdloss evaluate "$runs/denoise" --data "$PDLOSS_IMAGES/valid/kodak24" --metrics psnr,ms_ssim,lpips
for task in sr deblur jpeg demosaic denoise; do
    mkdir -p "$here/$task"
    cp "$runs/$task/config.json" "$runs/$task/log.jsonl" "$here/$task/"
done
cp "$runs/denoise/scores/kodak24.json" "$here/denoise/"
# Where things lay is nobody's business.
sed -i "s#$PDLOSS_IMAGES#\$PDLOSS_IMAGES#g" "$here"/*/*.json
