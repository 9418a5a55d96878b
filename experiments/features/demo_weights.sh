#!/usr/bin/env bash
# Which weight shows the point in a demo? Runs from the start of `make demo`, which must have been made, 300 steps each; the
# photographs and everything else are the demo's. Eight minutes of two idle cores.
set -euo pipefail
demo=${1:-$(cd "$(dirname "$0")" && pwd)/../../demo}

try() {  # name, loss
    pdloss train --task sr --data "$demo/photographs/train" --batch 8 --crop 96 --seed 0 --init "$demo/runs/start" \
        --out "$demo/runs/$1" --loss "$2" --steps 300 --lr 3e-4
    pdloss evaluate "$demo/runs/$1" --data "$demo/photographs/held-out" --metrics psnr,lpips,sharpness,grid,blocks
}

try weight-0.1-phase-1 "l1 + 0.1*multilayer_pdl(offset=8) + 1*phase"
try weight-0.2-phase-0.5 "l1 + 0.2*multilayer_pdl(offset=8) + 0.5*phase"
try weight-0.2-phase-2 "l1 + 0.2*multilayer_pdl(offset=8) + 2*phase"
try weight-0.2-no-offset-phase-0.5 "l1 + 0.2*multilayer_pdl + 0.5*phase"
try weight-0.2-no-offset-phase-0.25 "l1 + 0.2*multilayer_pdl + 0.25*phase"
