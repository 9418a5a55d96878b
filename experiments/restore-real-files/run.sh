#!/usr/bin/env bash
# What `pdloss restore` makes of the files that people have, with their memory and time; about ten minutes on one core.
# Wants PDLOSS_IMAGES; MODEL is a trained network of the input's size, by default one that is trained here for 200 steps.
set -euo pipefail
: "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-$here/../../local/restore-real-files}
mkdir -p "$work"
if [ -z "${MODEL:-}" ]; then
    MODEL=$work/run
    pdloss train --task denoise --data "$PDLOSS_IMAGES/train" --degradation "noise(sigma=0..50/255)" --loss l1 \
        --network "edsr(blocks=8, unshuffle=2)" --batch 4 --crop 64 --lr 5e-4 --steps 200 --out "$MODEL"
fi
python "$here/inputs.py" "$work"
python "$here/table.py" "$work" "$MODEL" > "$here/table.md"
python "$here/speed.py" "$MODEL" >> "$here/table.md"
