#!/usr/bin/env bash
# Goes on from one denoiser trained on pixels with every loss in turn, each with the weight that gives it the same share
# of the pull on the picture, and scores all on Kodak24. Features are those that ship with pdloss.
# Wants PDLOSS_ASSETS (alexnet-torchvision, lpips-alex), PDLOSS_IMAGES (train/,
# valid/kodak24/) and the run l1 of ../denoise-first. About 25 minutes on two cores; stopped, it goes on where it was.
set -euo pipefail
: "${PDLOSS_ASSETS:?}" "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/every-loss}
first=${FIRST:-$here/../../local/denoise-first/l1}
of="features='distilled-1.relu4_3'"

train() {  # name, loss
    pdloss train --data "$PDLOSS_IMAGES/train" --out "$runs/$1" --loss "$2" --init "$first" \
        --degradation "noise(sigma=50/255)" --steps 200 --batch 8 --crop 96 --lr 2e-4 --seed 1 --save-every 100
}

weighed() {  # loss: the sum with l1 in which it has 60 % of the gradients' norm
    pdloss calibrate --data "$PDLOSS_IMAGES/train" --loss "l1 + $1" --share 0.6 --init "$first" \
        --batches 4 --batch 8 --crop 96 --seed 1 | tail -1
}

declare -A losses=(
    [perceptual]="perceptual($of)" [perceptual-l2]="perceptual($of, p=2)"
    [pdl]="pdl($of)" [pdl-pairs]="pdl($of, projection='pairs')"
    [pdl-perturbed]="pdl($of, projection='perturbed')" [pdl-sphere]="pdl($of, projection='sphere')"
    [pdl-orthogonal]="pdl($of, projection='orthogonal')" [pdl-max]="pdl($of, projection='max')"
    [contextual]="contextual($of)" [contextual-l2]="contextual($of, distance='l2')"
    [cobi]="cobi(features='distilled-1.relu3_4+relu4_3')" [cobi-code]="cobi_code(features='distilled-1.relu3_4+relu4_3')"
    [pdl-steerable]="pdl(features='steerable')" [lpips]="lpips"
    [ms-ssim]="ms_ssim(scales=4)" [ms-ssim-l1]="ms_ssim_l1(scales=4)"
    [focal-frequency]="focal_frequency" [fdl]="fdl(features='distilled-1.relu3_4+relu4_3')"
    [wasserstein-distortion]="wasserstein_distortion(features='distilled-1.relu3_4+relu4_3')"
)
train l1 "l1"
for name in $(printf '%s\n' "${!losses[@]}" | sort); do
    [ -f "$runs/$name.txt" ] || { mkdir -p "$runs"; weighed "${losses[$name]}" > "$runs/$name.tmp"; mv "$runs/$name.tmp" "$runs/$name.txt"; }
    train "$name" "$(cat "$runs/$name.txt")"
done
# A critic starts from nothing: its pull on the first batches says little of later ones, so its weight is the usual one.
train adversarial "$(cat "$runs/perceptual.txt") + 0.001*adversarial(critic='srgan(size=96)')"

all=(l1 $(printf '%s\n' "${!losses[@]}" | sort) adversarial)
pdloss evaluate "${all[@]/#/$runs/}" --data "$PDLOSS_IMAGES/valid/kodak24" --metrics psnr,lpips
for run in "${all[@]}"; do
    mkdir -p "$here/$run"
    cp "$runs/$run/config.json" "$runs/$run/log.jsonl" "$here/$run/"
    cp "$runs/$run/scores/kodak24.json" "$here/$run/kodak24.json"
done
# Where things lay is nobody's business.
sed -i "s#$PDLOSS_IMAGES#\$PDLOSS_IMAGES#; s#\"init\": \"[^\"]*/l1\"#\"init\": \"../denoise-first/l1\"#" "$here"/*/*.json
