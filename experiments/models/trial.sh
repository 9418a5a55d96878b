#!/usr/bin/env bash
# Which small network is best for what it costs? Two each for three of the tasks, of equal time per megapixel (of the result),
# trained alike for a tenth of what train.sh does; scores of Set14 go to trial-TASK.csv and .md.
# Wants PDLOSS_IMAGES and PDLOSS_ASSETS (lpips). An hour of one core.
set -euo pipefail
: "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/models}/trial
export OMP_NUM_THREADS=${THREADS:-1}

try() {  # task, name, network, degradation, crop
    pdloss train --task "$1" --network "$3" --degradation "$4" --crop "$5" --data "$PDLOSS_IMAGES/train" --batch 8 \
        --loss l1 --lr 5e-4 --steps 1500 --ema 0.999 --save-every 500 --out "$runs/$1-$2"
}

camera="noise(sigma=0..6/255) | jpeg(quality=50..100, subsampling='either', chance=0.5)"
x4="gaussian_blur(sigma=0..1.2) | downscale(factor=4) | $camera"
unet="nafnet(width=24, encoder=(1, 1, 1), middle=2, decoder=(1, 1, 1))"
try denoise edsr "edsr(blocks=8, unshuffle=2)" "noise(sigma=0..50/255)" 96
try denoise nafnet "$unet" "noise(sigma=0..50/255)" 96
try deblur edsr "edsr(blocks=8, unshuffle=2)" "blur(support=2..16) | noise(sigma=0..5/255)" 128
try deblur nafnet "$unet" "blur(support=2..16) | noise(sigma=0..5/255)" 128
try sr edsr "edsr(scale=4, blocks=6, width=56, upsampling='resize')" "$x4" 160
try sr srresnet "srresnet(scale=4, blocks=6, width=40)" "$x4" 160
for task in denoise deblur sr; do
    pdloss evaluate "$runs/$task-"* --data "$PDLOSS_IMAGES/valid/set14" --metrics psnr,lpips,grid,blocks \
        --csv "$here/trial-$task.csv" --markdown "$here/trial-$task.md" --overwrite
done
