# What the scripts of this folder share: source it. RUNS says where runs lie, THREADS how many cores each takes.
set -euo pipefail
: "${PDLOSS_IMAGES:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
runs=${RUNS:-$here/../../local/models}
measured=${MEASURED:-$runs/measured}
export OMP_NUM_THREADS=${THREADS:-1}
models="denoise jpeg demosaic deblur sr-x4 sr-x2"
data="BSDS500, train and test (399 photographs), released by the University of California, Berkeley, for research"

declare -A task=([denoise]=denoise [jpeg]=jpeg [demosaic]=demosaic [deblur]=deblur [sr-x4]=sr [sr-x2]=sr)
camera="noise(sigma=0..6/255) | jpeg(quality=50..100, subsampling='either', chance=0.5)"
declare -A degradation=(
    [denoise]="noise(sigma=0..50/255)"
    [jpeg]="jpeg(quality=10..95, subsampling='either')"
    [demosaic]="mosaic(noise=0..5/255)"
    [deblur]="blur(support=2..16) | noise(sigma=0..5/255)"
    [sr-x4]="gaussian_blur(sigma=0..1.2) | downscale(factor=4) | $camera"
    [sr-x2]="gaussian_blur(sigma=0..0.8) | downscale(factor=2) | $camera"
)
declare -A crop=([denoise]=96 [jpeg]=96 [demosaic]=96 [deblur]=128 [sr-x4]=128 [sr-x2]=128)
