#!/usr/bin/env bash
# Measures how hard PDL on each of three feature sets pulls at what one network restores: by that, a weight found with one
# of them carries over to the others. Wants PDLOSS_ASSETS (vgg16-caffe, vgg19-caffe) and PDLOSS_IMAGES (train/).
set -euo pipefail
: "${PDLOSS_ASSETS:?}" "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
run=${RUNS:-$here/../../local/recommended-weights}/l1

pdloss train --task denoise --data "$PDLOSS_IMAGES/train" --out "$run" --loss "l1" \
    --degradation "noise(sigma=50/255)" --network "edsr(blocks=8, unshuffle=2)" \
    --steps 150 --batch 8 --crop 96 --lr 5e-4 --seed 0
COLUMNS=120 pdloss calibrate --data "$PDLOSS_IMAGES/train" --init "$run" --batches 8 --share 0.25 0.25 0.25 0.25 \
    --loss "l1 + pdl(features='vgg19.relu4_3') + pdl(features='vgg16.relu4_3') + pdl(features='distilled-1.relu4_3')" \
    | tee "$here/calibration.txt"
