#!/usr/bin/env bash
# Makes the models that ship of the runs of train.sh: packs each, measures all on Kodak24 and Set14, and puts files, scores,
# cards and pictures where the package looks for them. Refused are runs that saw a picture of what they are measured on.
# Wants PDLOSS_ASSETS (alexnet-torchvision, lpips-alex) and PDLOSS_IMAGES (valid/kodak24, valid/set14).
#   ./ship.sh            all that are trained to their end
#   ./ship.sh jpeg       jpeg and jpeg-l1
# Measuring takes about twenty minutes of one core for each model; what is measured and unchanged is kept.
: "${PDLOSS_ASSETS:?}"
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
shelf=${SHELF:-$here/../../src/pdloss/models/weights}
sets=("$PDLOSS_IMAGES/valid/kodak24" "$PDLOSS_IMAGES/valid/set14")

mkdir -p "$shelf"
for name in ${*:-$models}; do
    [ -d "$runs/$name" ] && [ -d "$runs/$name-l1" ] || { echo "$name: not trained yet" >&2; continue; }
    for flavour in "$name-l1" "$name"; do
        pdloss models pack "$runs/$flavour" --name "$flavour" --data "$data" --out "$shelf"
    done
    # Real-ESRGAN's pictures of the same inputs, where rival.sh made them.
    rival=()
    [ -d "$measured/realesrgan-x4plus" ] && [ "$name" = sr-x4 ] && rival=(--beside realesrgan-x4plus)
    pdloss models evaluate "$shelf/$name-l1.safetensors" "$shelf/$name.safetensors" --data "${sets[@]}" \
        --out "$measured" "${rival[@]}"
    for flavour in "$name-l1" "$name"; do
        cp "$measured/$flavour".{json,md,jpg} "$shelf/"
    done
done
du -sh "$shelf"
