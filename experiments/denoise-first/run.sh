#!/usr/bin/env bash
# Trains the same denoiser from the same seed with several losses, scores all on Kodak24 and writes the report.
# Wants PDLOSS_ASSETS (vgg19-caffe, alexnet-torchvision, lpips-alex) and PDLOSS_IMAGES (train/, valid/kodak24/).
# About 70 minutes on two cores; stopped, it goes on where it was.
set -euo pipefail
: "${PDLOSS_ASSETS:?}" "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/denoise-first}

train() {  # name, loss
    pdloss train --task denoise --data "$PDLOSS_IMAGES/train" --out "$runs/$1" --loss "$2" \
        --degradation "noise(sigma=50/255)" \
        --network "edsr(blocks=8, unshuffle=2)" --steps 3000 --batch 8 --crop 96 --lr 5e-4 --seed 0
}

train l1                "l1"
train distilled-0.002   "l1 + 0.002*pdl(features='distilled-1.relu4_3')"
train pdl-0.002         "l1 + 0.002*pdl(features='vgg19.relu4_3')"
train perceptual-0.003  "l1 + 0.003*perceptual(features='vgg19.relu4_3')"
train pdl-0.0007        "l1 + 0.0007*pdl(features='vgg19.relu4_3')"
train perceptual-0.001  "l1 + 0.001*perceptual(features='vgg19.relu4_3')"

all=(l1 perceptual-0.001 perceptual-0.003 pdl-0.0007 pdl-0.002 distilled-0.002)
pdloss evaluate "${all[@]/#/$runs/}" --data "$PDLOSS_IMAGES/valid/kodak24"
pdloss report "${all[@]/#/$runs/}" --out "$runs/report"
for run in "${all[@]}"; do
    mkdir -p "$here/$run"
    cp "$runs/$run/config.json" "$runs/$run/log.jsonl" "$here/$run/"
    cp "$runs/$run/scores/kodak24.json" "$here/$run/kodak24.json"
done
# Where things lay is nobody's business.
sed -i "s#$PDLOSS_IMAGES#\$PDLOSS_IMAGES#; s#\"init\": \"[^\"]*/l1\"#\"init\": \"../denoise-first/l1\"#" "$here"/*/*.json
