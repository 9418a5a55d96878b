#!/usr/bin/env bash
# Trains the networks that ship: six tasks, each in two flavours that differ in the loss alone. Both go on from one
# network trained with l1, for the same number of steps, on the same crops; the weights are moving averages.
# Wants PDLOSS_IMAGES (train/, valid/set14/ to watch). Nothing else: the features of the perceptual flavour come with pdloss.
#   ./train.sh              all, one after the other
#   ./train.sh jpeg sr-x4   these
# Each run can be stopped and the same command goes on, bit for bit. RUNS says where they lie, THREADS how many cores each
# takes, START and MORE how many steps. With one core of an AVX-512 machine a step takes about 0.4 seconds, so that each
# of the twelve has two hours of one core behind it: 12,000 steps shared, 6,000 of its own.
set -euo pipefail
: "${PDLOSS_IMAGES:?}"
runs=${RUNS:-$(cd "$(dirname "$0")" && pwd)/../../local/models}
export OMP_NUM_THREADS=${THREADS:-1}
start=${START:-12000} more=${MORE:-6000}

perceptual="l1 + 0.05*multilayer_pdl + 0.5*phase"
declare -A task=([denoise]=denoise [jpeg]=jpeg [sr-x2]=sr [sr-x4]=sr [deblur]=deblur [demosaic]=demosaic)
declare -A network=(
    [denoise]="edsr(blocks=8, unshuffle=2)"
    [jpeg]="edsr(blocks=8, unshuffle=2)"
    [sr-x2]="edsr(scale=2, blocks=8, width=48, upsampling='resize')"
    [sr-x4]="edsr(scale=4, blocks=6, width=56, upsampling='resize')"
    [deblur]="nafnet(width=24, encoder=(1, 1, 1), middle=2, decoder=(1, 1, 1))"
    [demosaic]="edsr(blocks=8, unshuffle=2)"
)
camera="noise(sigma=0..6/255) | jpeg(quality=50..100, subsampling='either', chance=0.5)"
declare -A degradation=(
    [denoise]="noise(sigma=0..50/255)"
    [jpeg]="jpeg(quality=10..95, subsampling='either')"
    [sr-x2]="gaussian_blur(sigma=0..0.8) | downscale(factor=2) | $camera"
    [sr-x4]="gaussian_blur(sigma=0..1.2) | downscale(factor=4) | $camera"
    [deblur]="blur(support=2..16) | noise(sigma=0..5/255)"
    [demosaic]="mosaic(noise=0..5/255)"
)
declare -A crop=([sr-x2]=128 [sr-x4]=160 [deblur]=128)

for name in "${@:-denoise jpeg sr-x4 sr-x2 deblur demosaic}"; do for model in $name; do
    common=(--task "${task[$model]}" --data "$PDLOSS_IMAGES/train" --batch 8 --crop "${crop[$model]:-96}"
        --degradation "${degradation[$model]}" --ema 0.999 --valid "$PDLOSS_IMAGES/valid/set14" --save-every 500)
    pdloss train "${common[@]}" --network "${network[$model]}" --out "$runs/$model-start" --loss l1 --steps "$start" --lr 5e-4
    pdloss train "${common[@]}" --init "$runs/$model-start" --out "$runs/$model-l1" --loss l1 \
        --steps "$more" --lr 2e-4 --seed 1
    pdloss train "${common[@]}" --init "$runs/$model-start" --out "$runs/$model" --loss "$perceptual" \
        --steps "$more" --lr 2e-4 --seed 1
done; done
