#!/usr/bin/env bash
# Trains the networks that ship: six tasks, each in two flavours that differ in the loss alone. Both go on from one
# network trained with l1, for the same number of steps, on the same crops; the weights are moving averages.
# Wants PDLOSS_IMAGES (train/, valid/set14/ to watch). Nothing else: the features of the perceptual flavour come with pdloss.
#   ./train.sh              all, one after the other
#   ./train.sh jpeg sr-x4   these
# Each run can be stopped and the same command goes on, bit for bit. What is gone on from is packed into starts/ when it is
# trained, so that a clone need not train it again. START and MORE say how many steps: of a start, and of each flavour.
# The networks that give a picture of the same size share the start of denoise.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
start=${START:-9000} more=${MORE:-2500}

perceptual="l1 + 0.05*multilayer_pdl + 0.5*phase"
declare -A first=([jpeg]=denoise [demosaic]=denoise [deblur]=denoise)
declare -A network=(
    [denoise]="edsr(blocks=8, width=48, unshuffle=2)"
    [sr-x4]="edsr(scale=4, blocks=12, width=40, upsampling='resize')"
    [sr-x2]="edsr(scale=2, blocks=8, width=40, upsampling='resize')"
)

try() {  # what to train for, run, and all else
    pdloss train --task "${task[$1]}" --degradation "${degradation[$1]}" --crop "${crop[$1]}" --data "$PDLOSS_IMAGES/train" \
        --valid "$PDLOSS_IMAGES/valid/set14" --batch 8 --ema 0.999 --save-every 500 --out "$runs/$2" "${@:3}"
}

for model in ${*:-$models}; do
    from=${first[$model]:-$model}
    if [ ! -f "$here/starts/$from-start.safetensors" ]; then
        try "$from" "$from-start" --network "${network[$from]}" --loss l1 --steps "$start" --lr 5e-4
        pdloss models pack "$runs/$from-start" --name "$from-start" --data "$data" --out "$here/starts"
    fi
    on=(--init "$here/starts/$from-start.safetensors" --steps "$more" --lr 2e-4 --seed 1)
    try "$model" "$model-l1" --loss l1 "${on[@]}"
    try "$model" "$model" --loss "$perceptual" "${on[@]}"
done
