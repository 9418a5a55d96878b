"""Trains a small network to give a large backbone's maps: ``pdloss distill``."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pdloss import datasets, features
from pdloss.devices import autocast, channels_last
from pdloss.errors import SpecError
from pdloss.features.distilled import DistilledNetwork, stage_of
from pdloss.files import output
from pdloss.files.tensors import write_tensors
from pdloss.ops.filters import filter_valid, gaussian_kernel
from pdloss.training.configuration import DistillConfig
from pdloss.training.distillation_checkpoint import DistillationCheckpoint, remove
from pdloss.training.pattern_pairs import change_error, pairs_in
from pdloss.training.teacher_batches import TeacherBatches


def degrade(clean: Tensor, generator: torch.Generator) -> Tensor:
    """Returns the image clean, noisy, blurred, or blurred and noisy: what a restoration network shows its loss."""
    kind, amount, size = (float(torch.rand((), generator=generator)) for _ in range(3))
    image = clean
    if kind > 0.5:
        image = _blur(image, sigma=0.4 + 2.6 * size)
    if 0.25 < kind < 0.7:
        image = image + 0.4 * amount**2 * torch.randn(image.shape, generator=generator)
    return image.clamp(0, 1)


def _blur(image: Tensor, sigma: float) -> Tensor:
    radius = math.ceil(3 * sigma)
    return filter_valid(F.pad(image, (radius,) * 4, mode="reflect"), gaussian_kernel(2 * radius + 1, sigma))


def training_error(before_relu: Tensor, maps: Tensor) -> Tensor:
    r"""Returns the relative squared error with a gradient where the ReLU would have none.

    Where the teacher is silent, :math:`\max(s, 0)^2`; where it is active, :math:`(s - t)^2` also for negative
    :math:`s`: at positive :math:`s` this is the error of the rectified map, and it is convex in :math:`s`.
    """
    error = torch.where(maps > 0, before_relu - maps, F.relu(before_relu))
    return error.square().mean() / maps.square().mean()


def _error(layer: str, imitated: Tensor, maps: Tensor) -> Tensor:
    if layer.startswith("relu"):
        return training_error(imitated, maps)
    return (imitated - maps).square().mean() / maps.square().mean()


def heads_of(teacher: nn.Module, crop: int, start: int = 2) -> dict[str, tuple[int, int]]:
    """Returns channels and side divisor of each of the teacher's layers.

    Raises:
        SpecError: If a map is not 1/start, or a half, a quarter, … of that, of the image's side.
    """
    heads = {}
    for layer, maps in teacher(torch.zeros(1, 3, crop, crop)).items():
        divisor = crop // maps.shape[-1]
        if divisor < start or divisor & (divisor - 1) or maps.shape[-1] * divisor != crop:
            raise SpecError(
                f"{layer} gives {maps.shape[-1]} positions on a side of {crop}: only layers at "
                f"{'1, ' if start == 1 else ''}1/2, 1/4, 1/8, … of the image's side can be imitated"
                f"{'; --start 1 begins at the whole side' if divisor == 1 else ''}"
            )
        heads[layer] = (maps.shape[1], divisor)
    return heads


def with_batch_norm(network: DistilledNetwork) -> DistilledNetwork:
    """Puts a batch norm behind every convolution of the stages; `without_batch_norm` takes it out again."""
    for sequence in _convolution_slots(network):
        sequence.append(nn.BatchNorm2d(sequence[0].out_channels))  # type: ignore[arg-type]
    return network


def without_batch_norm(network: DistilledNetwork) -> DistilledNetwork:
    """Folds every batch norm into its convolution: the same function, with plain convolutions."""
    network.eval()
    for sequence in _convolution_slots(network):
        convolution, norm = sequence
        sequence[0] = fuse_conv_bn_eval(convolution, norm)  # type: ignore[type-var,arg-type]
        del sequence[1]
    return network


def _convolution_slots(network: DistilledNetwork) -> list[nn.Sequential]:
    return [m for m in network.stages.modules() if isinstance(m, nn.Sequential) and isinstance(m[0], nn.Conv2d)]


def distill(
    config: DistillConfig, progress: Callable[[int, Mapping[str, float]], None] | None = None
) -> dict[str, float]:
    """Trains the student and writes it as a float16 safetensors file.

    Args:
        config: What to train, on what, for how long.
        progress: Called after every step with its number and the errors.

    Returns:
        Relative squared error per layer on crops of the held-out photographs, of the file as written.

    Raises:
        SpecError: If the teacher's layers cannot be imitated with these widths.
        UserError: If a file stands there that is not to be replaced.
    """
    config.validate()
    with output(config.out, overwrite=config.overwrite):
        return _distilled(config, progress)


def _distilled(config: DistillConfig, progress: Callable[[int, Mapping[str, float]], None] | None) -> dict[str, float]:
    teacher = features.extractor(config.teacher, config.trusted)
    heads = heads_of(teacher, config.crop, config.start)
    deepest = 1 + max(stage_of(divisor, config.start) for _, divisor in heads.values())
    if not deepest == len(config.widths) == len(config.blocks):
        raise SpecError(f"{config.teacher} needs {deepest} widths and blocks, got {config.widths} and {config.blocks}")
    config.out.parent.mkdir(parents=True, exist_ok=True)  # fails now rather than after the training
    torch.manual_seed(config.seed)
    student = with_batch_norm(DistilledNetwork(heads, config.widths, config.blocks, config.start))
    channels_last(student).train()
    scales = _train(student, teacher, config, progress)

    without_batch_norm(student)
    with torch.no_grad():  # the heads learn maps of unit size; the file holds the teacher's own units
        for layer, head in student.heads.items():
            for parameter in head.parameters():
                parameter.mul_(scales[layer])
    student.half().float()
    errors = _errors(student, teacher, config)
    _save(student, heads, config, teacher, errors)
    remove(config.out)
    return errors


def _train(
    student: DistilledNetwork,
    teacher: nn.Module,
    config: DistillConfig,
    progress: Callable[[int, Mapping[str, float]], None] | None,
) -> dict[str, float]:
    optimiser = torch.optim.AdamW(student.parameters(), config.lr, betas=(0.9, 0.98), weight_decay=1e-4)
    kept = DistillationCheckpoint(config.out, _choices(config, teacher), {"network": student, "optimiser": optimiser})
    begin, scales = kept.take_up(config.steps)
    sources = [_crops(folder, config) for folder in config.images]
    paired = config.differences > 0 and pairs_in(config.batch) > 0
    batches = TeacherBatches(
        teacher, sources, seed=config.seed, steps=config.steps, reuse=config.reuse, paired=paired, begin=begin
    )
    for step in range(begin, config.steps):
        batch = batches.at(step)
        scales = scales or {layer: _size(x) for layer, x in batch.maps.items()}
        for group in optimiser.param_groups:
            group["lr"] = config.lr * _rate(step, config.steps)
        with autocast(batch.images.device):
            imitated = student(batch.images, list(batch.maps))
        errors = {
            layer: _error(layer, imitated[layer].float(), x.float() / scales[layer]) for layer, x in batch.maps.items()
        }
        changed = [
            change_error(layer, imitated[layer].float(), x.float() / scales[layer])
            for layer, x in batch.changes.items()
        ]
        total = torch.stack(list(errors.values())).mean()
        if changed:
            total = total + config.differences * torch.stack(changed).mean()
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        if progress is not None:
            progress(step + 1, {layer: error.item() for layer, error in errors.items()})
        if (step + 1) % config.save_every == 0 and step + 1 < config.steps:
            kept.keep(step + 1, scales)
    return scales


def _size(maps: Tensor) -> float:
    return float(maps.float().square().mean().sqrt())


def _choices(config: DistillConfig, teacher: nn.Module) -> dict[str, str]:
    """Returns all that the result depends on, in words."""
    other = {"out", "overwrite", "save_every", "check", "typed", "trust"}
    said = {field.name: getattr(config, field.name) for field in dataclasses.fields(config) if field.name not in other}
    return {name: str(value) for name, value in said.items()} | {"weights": str(getattr(teacher, "origin", {}))}


def _crops(folder: Path, config: DistillConfig) -> datasets.Crops:
    photographs = datasets.Photographs(folder, cached=True, smallest=config.crop)
    return datasets.Crops(photographs, degrade, size=config.crop, seed=config.seed, batch=config.batch)


def _rate(step: int, steps: int) -> float:
    """Returns the share of the learning rate: a warm-up over a twentieth of the steps, then half a cosine to zero."""
    warm = max(1, steps // 20)
    return min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * step / steps))


@torch.no_grad()
def _errors(student: DistilledNetwork, teacher: nn.Module, config: DistillConfig) -> dict[str, float]:
    """Returns each layer's squared error divided by the maps' squared size, over 512 crops degraded as in training."""
    sums = {layer: torch.zeros(2, dtype=torch.float64) for layer in student.heads}
    data = _crops(config.check, config)
    for batch in datasets.batches(data, 0, math.ceil(512 / config.batch)):
        maps, imitated = teacher(batch.degraded), student(batch.degraded, list(student.heads))
        for layer, x in maps.items():
            error = (F.relu(imitated[layer]) if layer.startswith("relu") else imitated[layer]) - x
            sums[layer] += torch.stack((error.square().sum(), x.square().sum())).double()
    return {layer: float(error / size) for layer, (error, size) in sums.items()}


def _save(
    student: DistilledNetwork,
    heads: Mapping[str, tuple[int, int]],
    config: DistillConfig,
    teacher: nn.Module,
    errors: Mapping[str, float],
) -> None:
    header = {
        "network": json.dumps(
            {"heads": heads, "widths": config.widths, "blocks": config.blocks, "start": config.start}
        ),
        "input_convention": "RGB in 0..1",
        "source": f"imitates {config.teacher} ({'; '.join(getattr(teacher, 'origin', {})) or 'own module'})",
        "license": "Apache-2.0",
        "relative_squared_error": json.dumps({layer: round(error, 4) for layer, error in errors.items()}),
        "training": f"{config.steps} steps of {config.batch} crops of {config.crop}, seed {config.seed}",
    }
    tensors = {name: tensor.half().contiguous() for name, tensor in student.state_dict().items()}
    write_tensors(config.out, tensors, header)
