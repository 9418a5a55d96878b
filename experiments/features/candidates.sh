#!/usr/bin/env bash
# What should PDL be by default, beside the paper's? Ten candidates at one share of the pull, from one l1 run each for
# denoising and for super-resolution, three seeds. A shuffle at the end of the network makes a mesh with any of them, which
# would be all that tells them apart: pictures are enlarged by a resize and a convolution instead. Wants PDLOSS_ASSETS or
# pdloss assets get (vgg16-caffe, vgg16-torchvision, lpips, dists, niqe) and PDLOSS_IMAGES. About four hours of one core;
# stopped, the same command goes on.
#   ./candidates.sh            both tasks
#   ./candidates.sh denoise    one
set -euo pipefail
: "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "$0")" && pwd)
runs=${RUNS:-$here/../../local/features}
four="vgg16-torchvision.relu1_2+relu2_2+relu3_3+relu4_3"
small="distilled.relu1_2+relu2_2+relu3_3+relu4_3"

plan() {  # task, [start] options, options of both, test pictures
    cat <<TOML
out = "$runs/$1"

[train]
task = "$1"
data = "$PDLOSS_IMAGES/train"
batch = 4
crop = 96
lr = 1e-4
steps = 400
$3

[start]
loss = "l1"
lr = 5e-4
steps = 4000
batch = 8
$2

[axes]
seed = [0, 1, 2]

[evaluate]
data = ["$PDLOSS_IMAGES/valid/$4"]
metrics = "psnr,ms_ssim,lpips,lpips_vgg,dists,niqe,sharpness,consistency,grid,blocks"

[[losses]]
name = "l1"
loss = "l1"
TOML
    candidate perceptual "perceptual(features='vgg16.relu4_3')"
    candidate paper "pdl(features='vgg16.relu4_3')"
    candidate four "pdl(features='$four', samples=256, offset=8)"
    candidate first "pdl(features='distilled-1.relu4_3', offset=8)"
    candidate small "pdl(features='$small', samples=256)"
    candidate offset "pdl(features='$small', samples=256, offset=8)"
    candidate deep "pdl(features='distilled.relu3_3+relu4_3', offset=8)"
    candidate squared "pdl(features='$small', samples=256, offset=8, p=2)"
    candidate sphere "pdl(features='$small', samples=256, offset=8, projection='sphere', ratio=0.5)"
    candidate phase "pdl(features='$small', samples=256, offset=8)" " + 0.5*phase"
    candidate still "pdl(features='$small', samples=256)" " + 0.5*phase"
}

candidate() {  # name, loss, more terms
    printf '\n[[losses]]\nname = "%s"\nloss = "l1 + {weight}*%s%s"\nshare = [0.6]\n' "$1" "$2" "${3:-}"
}

for task in "${@:-denoise sr}"; do for each in $task; do
    case $each in
    denoise) start="" set=kodak24 more='network = "edsr(blocks=8, unshuffle=2)"
degradation = "noise(sigma=50/255)"' ;;
    sr) start='crop = 128' set=set14 more="network = \"edsr(scale=4, blocks=8, upsampling='resize')\"" ;;
    esac
    mkdir -p "$runs"
    plan "$each" "$start" "$more" "$set" >"$runs/$each.toml"
    pdloss sweep "$runs/$each.toml" --jobs "${JOBS:-1}"
done; done
