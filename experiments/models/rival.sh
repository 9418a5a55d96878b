#!/usr/bin/env bash
# Real-ESRGAN x4plus on the inputs that sr-x4 was measured on, scored, so that sr-x4's card has it beside. It was trained
# blind, on other data, with a critic, and has 16.7 million parameters: 39 times as many. Run it after ship.sh sr-x4, then that
# once more. Wants what rival.py says; about forty minutes on one core. Set14's sides are no multiples of 4: Kodak24 alone.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
for set in kodak24-bicubic kodak24-camera; do
    python "$here/rival.py" "$measured/sr-x4/degraded/$set" "$measured/realesrgan-x4plus/made/$set"
    pdloss score "$measured/realesrgan-x4plus/made/$set" "$PDLOSS_IMAGES/valid/kodak24" --metrics psnr,ms_ssim,lpips,grid,blocks \
        --out "$measured/realesrgan-x4plus/$set" --name realesrgan-x4plus --degradation "as the inputs of sr-x4"
    mkdir -p "$measured/realesrgan-x4plus/scores"
    cp "$measured/realesrgan-x4plus/$set/scores/"*.json "$measured/realesrgan-x4plus/scores/$set.json"
done
