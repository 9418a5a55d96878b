#!/usr/bin/env bash
# What should PDL be by default, beside the paper's? Eight candidates at one share of the pull, from one l1 run each for
# denoising and for super-resolution, three seeds. Wants PDLOSS_ASSETS or pdloss assets get (vgg16-caffe,
# vgg16-torchvision, lpips, dists, niqe) and PDLOSS_IMAGES. About six hours of one core; stopped, the same command goes on.
#   ./candidates.sh            both tasks
#   ./candidates.sh denoise    one
set -euo pipefail
: "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/features}
deep="vgg16-torchvision.relu4_3"
four="vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3"
small="distilled.relu1_2+relu2_2+relu3_3+relu4_3"

plan() {  # task, [start] options
    cat <<TOML
out = "$runs/$1"

[train]
task = "$1"
data = "$PDLOSS_IMAGES/train"
batch = 8
crop = 96
lr = 1e-4
steps = 400
$2

[start]
loss = "l1"
lr = 5e-4
steps = 4000

[axes]
seed = [0, 1, 2]

[evaluate]
data = ["$PDLOSS_IMAGES/valid/kodak24", "$PDLOSS_IMAGES/valid/set14"]
metrics = "psnr,ms_ssim,lpips,lpips_vgg,dists,niqe,sharpness,grid"

[[losses]]
name = "l1"
loss = "l1"
TOML
    candidate perceptual "perceptual(features='vgg16.relu4_3')"
    candidate paper "pdl"
    candidate deep "pdl(features='$deep')"
    candidate four "pdl(features='$four', samples=256)"
    candidate four-offset "pdl(features='$four', samples=256, offset=8)"
    candidate four-squared "pdl(features='$four', samples=256, offset=8, p=2)"
    candidate four-sphere "pdl(features='$four', samples=256, offset=8, projection='sphere', ratio=0.5)"
    candidate small-offset "pdl(features='$small', samples=256, offset=8)"
    candidate small-phase "pdl(features='$small', samples=256, offset=8)" " + 0.5*phase"
}

candidate() {  # name, loss, more terms
    printf '\n[[losses]]\nname = "%s"\nloss = "l1 + {weight}*%s%s"\nshare = [0.6]\n' "$1" "$2" "${3:-}"
}

for task in "${@:-denoise sr}"; do for each in $task; do
    case $each in
    denoise) more='network = "edsr(blocks=8, unshuffle=2)"
degradation = "noise(sigma=50/255)"' ;;
    sr) more='network = "edsr(scale=4, blocks=8)"' ;;
    esac
    mkdir -p "$runs"
    plan "$each" "$more" >"$runs/$each.toml"
    pdloss sweep "$runs/$each.toml" --jobs "${JOBS:-1}"
done; done
