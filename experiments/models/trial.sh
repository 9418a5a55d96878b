#!/usr/bin/env bash
# Which small network is best for what it costs? Two or three for each of three tasks, of about equal time per megapixel (of
# the result), trained alike for STEPS steps; scores of Set14 go to trial-TASK.csv and .md.
# Wants PDLOSS_IMAGES and PDLOSS_ASSETS (lpips).
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
runs=$runs/trial

try() {  # what to train for, name, network
    pdloss train --task "${task[$1]}" --degradation "${degradation[$1]}" --crop "${crop[$1]}" --data "$PDLOSS_IMAGES/train" \
        --network "$3" --loss l1 --lr 5e-4 --steps "${STEPS:-1500}" --batch 8 --ema 0.999 --save-every 500 --out "$runs/$1-$2"
}

for model in denoise deblur; do
    try $model edsr "edsr(blocks=8, width=48, unshuffle=2)"
    try $model nafnet "nafnet(width=16, encoder=(1, 1, 1), middle=2, decoder=(1, 1, 1))"
done
try sr-x4 edsr-wide "edsr(scale=4, blocks=6, width=48, upsampling='resize')"
try sr-x4 edsr-deep "edsr(scale=4, blocks=12, width=40, upsampling='resize')"
try sr-x4 srresnet "srresnet(scale=4, blocks=6, width=20)"
for model in denoise deblur sr-x4; do
    pdloss evaluate "$runs/$model-"* --data "$PDLOSS_IMAGES/valid/set14" --metrics psnr,lpips,grid,blocks \
        --csv "$here/trial-$model.csv" --markdown "$here/trial-$model.md" --overwrite
done
