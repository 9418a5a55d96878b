#!/usr/bin/env bash
# Does the phase term take the squares of enlarged pixels away, and what is left of the gain? From the l1 start of
# candidates.sh sr, which must have been trained, 400 steps each; judged on the demo's photographs (`make demo` writes them).
# Ten minutes of one idle core.
set -euo pipefail
: "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/features} photographs=${1:-$here/../../demo/photographs}

try() {  # name, terms beside l1
    pdloss train --task sr --data "$PDLOSS_IMAGES/train" --batch 4 --crop 96 --lr 1e-4 --steps 400 --seed 0 \
        --init "$runs/sr/start" --out "$runs/blocks/$1" --loss "l1 + $2"
    pdloss evaluate "$runs/blocks/$1" --data "$photographs/held-out" --metrics psnr,lpips,grid,blocks
}

try small-phase "0.05*multilayer_pdl + 0.5*phase"
try offset-phase "0.05*multilayer_pdl(offset=8) + 0.5*phase"
try offset-phase-2 "0.05*multilayer_pdl(offset=8) + 2*phase"
try offset-0.2-phase-2 "0.2*multilayer_pdl(offset=8) + 2*phase"
pdloss evaluate "$runs/sr/seed0-"* --data "$photographs/held-out" --metrics psnr,lpips,grid,blocks
