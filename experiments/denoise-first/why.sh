#!/usr/bin/env bash
# Why the perceptual loss is not behind: goes on from the run l1 with both feature losses, on crops of 96 and of 192 pixels
# (four times the samples in each distribution, at the same number of pixels a step), at two weights each.
# Wants what run.sh wants, and its run l1. About 20 minutes on two cores.
set -euo pipefail
: "${PDLOSS_ASSETS:?}" "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/denoise-first}

all=()
for crop in 96 192; do
    for loss in perceptual pdl; do
        for weight in 0.0003 0.001; do
            name=on-$loss-$weight-crop$crop
            all+=("$name")
            pdloss train --data "$PDLOSS_IMAGES/train" --out "$runs/$name" --init "$runs/l1" \
                --loss "l1 + $weight*$loss(features='vgg19.relu4_3')" --degradation "noise(sigma=50/255)" \
                --steps 400 --batch $((8 * 96 * 96 / crop / crop)) --crop $crop --lr 2e-4 --seed 1
        done
    done
done
pdloss evaluate "$runs/l1" "${all[@]/#/$runs/}" --data "$PDLOSS_IMAGES/valid/kodak24" --set kodak24-why \
    --metrics psnr,lpips,lpips_squeeze
for run in "${all[@]}"; do
    mkdir -p "$here/$run"
    cp "$runs/$run/config.json" "$runs/$run/log.jsonl" "$here/$run/"
    cp "$runs/$run/scores/kodak24-why.json" "$here/$run/kodak24.json"
done
# Where things lay is nobody's business.
sed -i "s#$PDLOSS_IMAGES#\$PDLOSS_IMAGES#; s#\"init\": \"[^\"]*/l1\"#\"init\": \"../denoise-first/l1\"#" "$here"/*/*.json
