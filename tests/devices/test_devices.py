"""Precision: bfloat16 only where it is native, float32 elsewhere; devices that are there."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from pdloss.devices import autocast, best_precision, channels_last, chosen_device, precision
from pdloss.errors import SpecError

CPU = torch.device("cpu")


def processor(monkeypatch: pytest.MonkeyPatch, *, vector: bool, tile: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: vector, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tile, raising=False)


def answering(value: bool) -> Callable[..., bool]:
    return lambda *_, **__: value


@pytest.mark.parametrize(
    ("vector", "tile", "best"),
    [(False, False, "float32"), (True, False, "bfloat16"), (False, True, "bfloat16"), (True, True, "bfloat16")],
)
def test_a_processor_works_in_bfloat16_if_it_has_instructions_for_it(
    vector: bool, tile: bool, best: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor(monkeypatch, vector=vector, tile=tile)
    assert best_precision(CPU) == best


def test_a_processor_that_torch_cannot_tell_about_works_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert best_precision(CPU) == "float32"


def test_a_gpu_works_in_bfloat16_if_it_need_not_emulate_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Older GPUs say that they support bfloat16, and then emulate it at a loss.
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert best_precision(torch.device("cuda")) == "float32"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", answering(True))
    assert best_precision(torch.device("cuda", 1)) == "bfloat16"


def test_other_devices_work_in_float32() -> None:
    assert best_precision(torch.device("mps")) == "float32"


def convolved(wanted: str | None) -> torch.dtype:
    with autocast(CPU, wanted):
        return nn.Conv2d(3, 4, 3)(torch.rand(1, 3, 8, 8)).dtype


def test_autocast_runs_convolutions_in_the_precision_asked_for() -> None:
    assert convolved("bfloat16") == torch.bfloat16
    assert convolved("float32") == torch.float32
    with autocast(CPU, "bfloat16"):
        pass
    assert nn.Conv2d(3, 4, 3)(torch.rand(1, 3, 8, 8)).dtype == torch.float32


@pytest.mark.parametrize("best", ["bfloat16", "float32"])
def test_autocast_takes_the_device_s_best_by_default(best: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "best_precision", lambda _: best)
    assert convolved(None) == getattr(torch, best)


def test_channels_last_changes_the_layout_and_nothing_else() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))
    image = torch.rand(1, 3, 9, 9)
    before = module(image)
    assert channels_last(module) is module
    assert module[2].weight.stride() == (36, 1, 12, 4)
    torch.testing.assert_close(module(image), before)


def test_a_device_is_taken_by_its_name() -> None:
    assert chosen_device("cpu") == CPU


@pytest.mark.parametrize(("there", "kind"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_a_gpu_if_there_is_one(there: bool, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", answering(there))
    assert chosen_device("auto").type == kind


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("gpu", "did you mean 'cuda'?"),
        ("GPU:0", "did you mean 'cuda'?"),
        ("cude", "did you mean 'cuda'?"),
        ("cup", "did you mean 'cpu'?"),
        ("", "Known: auto, cpu, cuda, cuda:1"),
    ],
)
def test_an_unknown_device_is_answered_with_the_nearest_right_word(name: str, cure: str) -> None:
    with pytest.raises(SpecError) as caught:
        chosen_device(name)
    assert str(caught.value).startswith(f"--device {name!r} cannot be used: there is no such device")
    assert cure in str(caught.value)


@pytest.mark.parametrize(
    ("count", "name", "said"),
    [
        (0, "cuda", "torch finds none here; use auto or cpu"),
        (2, "cuda:2", "this machine has 2, counted from cuda:0"),
    ],
)
def test_a_gpu_that_is_not_there_is_told_by_number(
    count: int, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", answering(count))
    with pytest.raises(SpecError, match=f"--device '{name}' cannot be used: there is no such GPU, {said}"):
        chosen_device(name)


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "hpu", "xla", "meta", "cpu:one"])
def test_a_device_that_is_not_there_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(SpecError) as caught:
        chosen_device(name)
    said = str(caught.value)
    assert said.startswith(f"--device {name!r} cannot be used: ")
    assert "\n" not in said
    assert len(said) < 500
