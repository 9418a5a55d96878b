"""What people type who are used to other programs, and the words for it here."""

from typing import NamedTuple

OTHER_VERBS = {
    "evaluate": "eval test validate val",
    "restore": "infer inference predict enhance upscale run apply process",
    "score": "metrics measure psnr ssim lpips",
    "degrade": "corrupt freeze simulate synthesize",
    "compare": "diff vs",
    "report": "html page summary summarize",
    "figure": "plot draw fig",
    "data": "dataset datasets download fetch",
    "assets": "weights checkpoints",
    "models": "zoo model pretrained",
    "train": "fit finetune fine-tune resume continue start",
    "bench": "benchmark profile speed",
    "calibrate": "tune balance weigh",
    "convert": "import",
}
"""What other programs call our verbs."""


class Habit(NamedTuple):
    """Options of other trainers, and what stands for them here."""

    verbs: str
    words: str
    cure: str


_TABLE = """
train: it counts steps, of --batch crops each: --steps N, where an epoch is photographs / batch
    epochs epoch num-epochs n-epochs max-epochs nepochs
train: write --steps
    iterations iters iter num-iters num-iterations max-iter max-iters max-steps num-steps n-steps total-iter
train distill: write --lr
    learning-rate learningrate base-lr init-lr lr-g
train calibrate distill: write --batch
    batch-size batchsize bs batch-sz train-batch-size per-gpu-batch
train calibrate: write --crop
    patch patch-size crop-size cropsize image-size img-size gt-size size resolution
train: write --workers
    num-workers n-workers nworkers threads n-threads num-threads j
train: a weight stands before its term: --loss "l1 + 0.002*pdl"
    lambda lambda-pdl lam weight weights-pdl loss-weight pdl-weight perceptual-weight weight-pdl
train evaluate restore score calibrate bench: write --device cuda, --device cuda:1 or --device cpu
    gpu gpus gpu-id gpu-ids cuda use-cuda use-gpu cpu no-cuda mps
train calibrate: write --network
    model arch architecture net net-g generator backbone
train calibrate: write --loss
    criterion losses objective loss-fn
train calibrate degrade evaluate: write --degradation "noise(sigma=25/255)"
    noise sigma noise-level noise-std degrade
train calibrate degrade: write --task sr, or --degradation "downscale(factor=4)"
    scale upscale factor sr-factor
train calibrate degrade evaluate: write --data
    dataset datasets data-dir data-path data-root dataroot datadir train-dir train-data input-dir root images
train: write --valid
    val val-data val-dir validation valid-data valid-dir validate test-data test-dir
train degrade restore report figure distill convert niqe: write --out
    output output-dir out-dir outdir output-path save-dir savedir save-path log-dir logdir work-dir exp-dir o
train: a run is called as its folder: write --out runs/NAME
    name exp-name experiment run-name project
train calibrate: write --init RUN
    pretrained pretrain pretrained-path weights load load-from ckpt checkpoint finetune init-from
train: leave it out: the same command goes on by itself
    resume resume-from auto-resume continue
train: write --save-every
    save-freq save-interval save-steps checkpoint-every checkpoint-freq ckpt-every save-checkpoint-freq
train: write --log-every
    log-freq log-interval print-freq print-every logging-steps
train: write --precision bfloat16 or float32
    amp fp16 bf16 half mixed-precision fp32 dtype
train: it is always Adam; leave it out
    optimizer optim optimiser
train: write --schedule cosine or constant
    scheduler lr-scheduler lr-schedule lr-policy
train: write --accumulate
    grad-accum accumulation accumulation-steps gradient-accumulation-steps accumulate-grad-batches
train: write --ema 0.999
    ema-decay use-ema
train: write --log tensorboard, or mlflow, trackio or wandb
    tensorboard tb tb-logger use-tb use-tb-logger wandb mlflow trackio logger loggers report-to tracker
train: start it as torchrun --nproc-per-node N -m pdloss train …
    ddp distributed launcher nproc nproc-per-node world-size local-rank
train evaluate degrade calibrate compare conformance: write --seed
    random-seed manual-seed rng rng-seed
evaluate score: write --metrics
    metric
evaluate compare report: run folders stand without an option, after the verb
    run runs model models checkpoint ckpt weights
evaluate: write --data for the folder of clean photographs
    gt hr target targets reference clean
score: two folders stand without an option: pdloss score RESTORED TARGET
    gt hr target targets reference restored pred sr input output
restore: the picture or folder stands without an option, after the verb
    input inputs image images data source i
restore: write --model RUN
    weights checkpoint ckpt run network pretrained load
restore: write --format png, jpeg, tiff or webp
    suffix ext extension output-format
restore report figure distill convert niqe: write --overwrite
    force replace f y yes
"""


def _habits(table: str) -> tuple[Habit, ...]:
    r"""Returns the habits of a table in which every first line holds verbs and a cure, and every second one the words.

    Example:
        >>> _habits("train distill: write --lr\n    learning-rate base-lr")
        (Habit(verbs='train distill', words='learning-rate base-lr', cure='write --lr'),)
    """
    lines = table.strip().splitlines()
    heads = (head.partition(": ") for head in lines[::2])
    return tuple(Habit(verbs, words.strip(), cure) for (verbs, _, cure), words in zip(heads, lines[1::2], strict=True))


HABITS = _habits(_TABLE)
"""Asked in this order; a verb's own options are not among them."""
