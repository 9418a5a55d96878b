#!/usr/bin/env bash
# Where does the mesh come from? Demo-sized x4 networks that differ in their last layers alone: l1 from fresh weights, then
# 200 steps more with PDL at drawn offsets, without and with the phase loss. The demo's photographs: `make demo` writes
# them. About twenty minutes of one idle core.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
photographs=${1:-$here/../../demo/photographs}
runs=${RUNS:-$here/../../local/features/heads}
pdl="l1 + 0.0005*pdl(features='distilled-1.relu3_4+relu4_3', offset=8)"

for head in shuffle icnr resize; do
    same=(--task sr --data "$photographs/train" --batch 8 --crop 96 --seed 0
        --network "edsr(scale=4, blocks=6, width=48, upsampling='$head')")
    pdloss train "${same[@]}" --out "$runs/$head" --loss l1 --steps 700 --lr 1e-3
    pdloss train "${same[@]}" --out "$runs/$head-offset" --init "$runs/$head" --loss "$pdl" --steps 200 --lr 3e-4
    pdloss train "${same[@]}" --out "$runs/$head-phase" --init "$runs/$head" --loss "$pdl + 2*phase" --steps 200 --lr 3e-4
    pdloss evaluate "$runs/$head" "$runs/$head-offset" "$runs/$head-phase" --data "$photographs/held-out" \
        --metrics psnr,lpips,sharpness,grid
done
