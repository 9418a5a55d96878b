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
    "assets": "weights models checkpoints zoo",
    "train": "fit finetune fine-tune resume continue start",
    "bench": "benchmark profile speed",
    "calibrate": "tune balance weigh",
    "convert": "import export",
}
"""What other programs call our verbs."""


class Habit(NamedTuple):
    """Options of other trainers, and what stands for them here."""

    verbs: str
    words: str
    cure: str


_OUT = "train degrade restore report figure distill convert niqe"
_DEVICE = "train evaluate restore score calibrate bench"
HABITS = (
    Habit(
        "train",
        "epochs epoch num-epochs n-epochs max-epochs nepochs",
        "it counts steps, of --batch crops each: --steps N, where an epoch is photographs / batch",
    ),
    Habit(
        "train",
        "iterations iters iter num-iters num-iterations max-iter max-iters max-steps num-steps n-steps total-iter",
        "write --steps",
    ),
    Habit("train distill", "learning-rate learningrate base-lr init-lr lr-g", "write --lr"),
    Habit(
        "train calibrate distill", "batch-size batchsize bs batch-sz train-batch-size per-gpu-batch", "write --batch"
    ),
    Habit(
        "train calibrate",
        "patch patch-size crop-size cropsize image-size img-size gt-size size resolution",
        "write --crop",
    ),
    Habit("train", "num-workers n-workers nworkers threads n-threads num-threads j", "write --workers"),
    Habit(
        "train",
        "lambda lambda-pdl lam weight weights-pdl loss-weight pdl-weight perceptual-weight weight-pdl",
        'a weight stands before its term: --loss "l1 + 0.01*pdl"',
    ),
    Habit(
        _DEVICE,
        "gpu gpus gpu-id gpu-ids cuda use-cuda use-gpu cpu no-cuda mps",
        "write --device cuda, --device cuda:1 or --device cpu",
    ),
    Habit("train calibrate", "model arch architecture net net-g generator backbone", "write --network"),
    Habit("train calibrate", "criterion losses objective loss-fn", "write --loss"),
    Habit(
        "train calibrate degrade evaluate",
        "noise sigma noise-level noise-std degrade",
        'write --degradation "noise(sigma=25/255)"',
    ),
    Habit(
        "train calibrate degrade",
        "scale upscale factor sr-factor",
        'write --task sr, or --degradation "downscale(factor=4)"',
    ),
    Habit(
        "train calibrate degrade evaluate",
        "dataset datasets data-dir data-path data-root dataroot datadir train-dir train-data input-dir root images",
        "write --data",
    ),
    Habit("train", "val val-data val-dir validation valid-data valid-dir validate test-data test-dir", "write --valid"),
    Habit(
        _OUT,
        "output output-dir out-dir outdir output-path save-dir savedir save-path log-dir logdir work-dir exp-dir o",
        "write --out",
    ),
    Habit("train", "name exp-name experiment run-name project", "a run is called as its folder: write --out runs/NAME"),
    Habit(
        "train calibrate",
        "pretrained pretrain pretrained-path weights load load-from ckpt checkpoint finetune init-from",
        "write --init RUN",
    ),
    Habit("train", "resume resume-from auto-resume continue", "leave it out: the same command goes on by itself"),
    Habit(
        "train",
        "save-freq save-interval save-steps checkpoint-every checkpoint-freq ckpt-every save-checkpoint-freq",
        "write --save-every",
    ),
    Habit("train", "log-freq log-interval print-freq print-every logging-steps", "write --log-every"),
    Habit("train", "amp fp16 bf16 half mixed-precision fp32 dtype", "write --precision bfloat16 or float32"),
    Habit("train", "optimizer optim optimiser", "it is always Adam; leave it out"),
    Habit("train", "scheduler lr-scheduler lr-schedule lr-policy", "write --schedule cosine or constant"),
    Habit(
        "train",
        "grad-accum accumulation accumulation-steps gradient-accumulation-steps accumulate-grad-batches",
        "write --accumulate",
    ),
    Habit("train", "ema-decay use-ema", "write --ema 0.999"),
    Habit("train", "tb tb-logger use-tb wandb logger", "write --tensorboard"),
    Habit(
        "train",
        "ddp distributed launcher nproc nproc-per-node world-size local-rank",
        "start it as torchrun --nproc-per-node N -m pdloss train …",
    ),
    Habit(
        "train evaluate degrade calibrate compare conformance", "random-seed manual-seed rng rng-seed", "write --seed"
    ),
    Habit("evaluate score", "metric", "write --metrics"),
    Habit(
        "evaluate compare report",
        "run runs model models checkpoint ckpt weights",
        "run folders stand without an option, after the verb",
    ),
    Habit("evaluate", "gt hr target targets reference clean", "write --data for the folder of clean photographs"),
    Habit(
        "score",
        "gt hr target targets reference restored pred sr input output",
        "two folders stand without an option: pdloss score RESTORED TARGET",
    ),
    Habit(
        "restore",
        "input inputs image images data source i",
        "the picture or folder stands without an option, after the verb",
    ),
    Habit("restore", "weights checkpoint ckpt run network pretrained load", "write --model RUN"),
    Habit("restore", "format suffix ext", "restored pictures are written as PNG; leave it out"),
    Habit("restore report figure distill convert niqe", "force replace f y yes", "write --overwrite"),
)
"""Asked in this order; a verb's own options are not among them."""
