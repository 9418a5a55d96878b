"""Metrics as torchmetrics has them: the same over batches and processes as over all images at once."""

import pickle
import re

import pytest
import torch
from safetensors.torch import save_file

from pdloss.adapters import torchmetrics as adapter
from pdloss.adapters.torchmetrics import OfSet, metric
from pdloss.errors import MissingExtraError, SpecError
from pdloss.metrics import METRICS, build, sets
from pdloss.metrics.inception_graph import shapes
from pdloss.metrics.sets import SetEntry
from pdloss.ops.color import quantize
from tests.oracles import inception as oracle

pytest.importorskip("torchmetrics")


def images(count: int = 6, side: int = 180) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(0)
    target = torch.nn.functional.interpolate(torch.rand(count, 3, 20, 20, generator=stream), side).clamp(0, 1)
    return (target + 0.1 * torch.randn(target.shape, generator=stream)).clamp(0, 1), target


def in_two_processes(make, restored, target):
    """Two metrics that saw a part each, gathered as torchmetrics gathers them; the first one's value."""
    parts = [make(), make()]
    for index, part in enumerate(parts):
        for start in range(4 * index, 4 if index == 0 else len(restored), 2):
            part.update(restored[start : start + 2], target[start : start + 2])

    def gathered(state, group=None):
        name = next(n for n in parts[0]._reductions if any(state is v for v in values(parts[0], n)))
        return [values(part, name)[0] for part in parts]

    def values(part, name):
        held = getattr(part, name)
        return held if isinstance(held, list) else [held]

    for part in parts:
        for name in part._reductions:
            if isinstance(getattr(part, name), list):
                setattr(part, name, [torch.cat(getattr(part, name))])
    parts[0].sync(dist_sync_fn=gathered, distributed_available=lambda: True)
    return parts[0]._update_count and parts[0].compute.__wrapped__()


@pytest.mark.parametrize("name", [name for name in METRICS if not re.search("lpips|dists|niqe|ms_", name)])
def test_the_mean_over_processes_is_that_of_all_images(name):
    restored, target = images(side=64)
    restored[0] = target[0]  # which count 120 dB
    expected = build([name])[name](quantize(restored), quantize(target)).double().clamp(max=120).mean()
    whole = metric(name)
    whole.update(restored, target)
    assert whole.compute().item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-6)
    assert in_two_processes(lambda: metric(name), restored, target).item() == pytest.approx(
        expected.item(), rel=1e-5, abs=1e-6
    )
    assert whole.higher_is_better == {"higher": True, "lower": False, "zero": None}[METRICS[name].record.better]


@pytest.mark.parametrize("kind", ["_FrechetMeasure", "_KernelMeasure", "_PairedKernelMeasure", "_SlicedMeasure"])
def test_a_set_seen_in_parts_is_one_set(kind, tmp_path, monkeypatch):
    save_file(oracle.random_weights(shapes(64)), tmp_path / "random.safetensors")
    monkeypatch.setattr(sets, "weights_path", lambda dims: tmp_path / "random.safetensors")
    measure = getattr(sets, kind)
    entry = SetEntry(sets.SET_METRICS["fid64"].record, lambda: measure(64, "whole"))
    restored, target = images(side=40)
    expected = entry.factory()
    expected.update(quantize(restored), quantize(target))
    expected = expected.compute()
    whole = OfSet(entry)
    whole.update(restored[:3], target[:3])
    whole.update(restored[3:], target[3:])
    assert whole.compute().item() == pytest.approx(expected.value, rel=1e-4, abs=1e-7)
    assert (whole.note, whole.error) == (expected.note, expected.error and pytest.approx(expected.error, rel=1e-4))
    assert in_two_processes(lambda: OfSet(entry), restored, target).item() == pytest.approx(
        expected.value, rel=1e-4, abs=1e-7
    )


def test_reaches_another_process_and_begins_anew(tmp_path):
    restored, target = images(side=16)
    score = metric("psnr")
    score.update(restored, target)
    again = pickle.loads(pickle.dumps(score))
    assert torch.equal(again.compute(), score.compute())
    again.reset()
    again.update(target * 0, target * 0 + 0.1)
    assert again.compute().item() == pytest.approx(-20 * torch.tensor(26 / 255).log10().item(), abs=1e-4)


def test_unknown_names_and_a_missing_package_are_said(monkeypatch):
    with pytest.raises(SpecError, match="unknown metric 'pnsr'; did you mean 'psnr'"):
        metric("pnsr")
    monkeypatch.setattr(adapter, "Metric", None)
    with pytest.raises(MissingExtraError, match=r"pdloss\[torchmetrics\]"):
        metric("psnr")
