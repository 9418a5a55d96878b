"""What every loss promises, whatever it measures."""

import gc
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pdloss.losses import LOSSES
from tests.losses.every import (
    CRITICS,
    DISTANCES,
    EVERY,
    OF_BATCHES,
    built,
    is_learner,
    pair,
    value_and_gradient,
)  # fmt: skip
from tests.losses.random_weights import use_random_weights

BROKEN_UP = ("fdl", "contextual", "cobi_code", "multilayer_pdl")
"""Their compiled graphs have breaks: what is drawn, slices differentiated on the way, blocks scored again."""


@pytest.fixture(autouse=True, scope="module")
def _weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Random weights where real ones are not needed: every promise holds whatever a backbone has learned."""
    with pytest.MonkeyPatch.context() as patch:
        use_random_weights(tmp_path_factory.mktemp("assets"), patch)
        yield


def test_every_loss_of_the_family_is_here() -> None:
    assert {text.partition("(")[0] for text in EVERY} == set(LOSSES.table)
    assert [text for text in EVERY if is_learner(text)] == CRITICS


@pytest.mark.parametrize("text", EVERY)
class TestEveryLoss:
    def test_is_finite_with_a_finite_gradient(self, text: str, generator: torch.Generator) -> None:
        value, gradient = value_and_gradient(built(text), *pair(generator))
        assert value > 0
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0

    @pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
    def test_survives_equal_and_constant_images(self, text: str, level: float, generator: torch.Generator) -> None:
        _, target = pair(generator)
        constant = torch.full_like(target, level)
        for restored, aim in ((target, target), (constant, constant), (constant, target), (target, constant)):
            value, gradient = value_and_gradient(built(text), restored, aim)
            assert value.isfinite()
            assert gradient.isfinite().all()

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_survives_half_precision(self, text: str, dtype: torch.dtype, generator: torch.Generator) -> None:
        restored, target = pair(generator)
        exact, _ = value_and_gradient(built(text), restored, target)
        with torch.autocast("cpu", dtype):
            value, gradient = value_and_gradient(built(text), restored, target)
            same, at_target = value_and_gradient(built(text), target, target)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(exact.item(), rel=0.1, abs=1e-4)
        assert gradient.isfinite().all()
        assert same.isfinite()
        assert at_target.isfinite().all()
        half, _ = value_and_gradient(built(text), restored.to(dtype), target.to(dtype))
        assert half.isfinite()

    def test_gradient_reaches_the_restored_image_only(self, text: str, generator: torch.Generator) -> None:
        restored, target = (images.requires_grad_() for images in pair(generator))
        loss = built(text)
        loss(restored, target).backward()
        assert target.grad is None
        assert all(parameter.grad is None for parameter in loss.parameters())

    def test_gives_the_same_value_for_the_same_seed(self, text: str, generator: torch.Generator) -> None:
        images = pair(generator)
        assert torch.equal(built(text)(*images), built(text)(*images))

    def test_keeps_nothing_between_calls(self, text: str, generator: torch.Generator) -> None:
        restored, target = pair(generator)
        loss, alive = built(text), []
        for _ in range(4):
            value_and_gradient(loss, restored, target)
            gc.collect()
            alive.append(sum(issubclass(type(thing), Tensor) for thing in gc.get_objects()))
        assert alive[-1] <= alive[1], "tensors that nobody asked to keep"

    def test_state_holds_only_what_it_learned(self, text: str) -> None:
        loss = built(text)
        learned = sum(parameter.numel() for parameter in loss.parameters())
        kept = [tensor for tensor in loss.state_dict().values() if tensor.ndim > 0]  # beside counts of what was drawn
        assert sum(tensor.numel() for tensor in kept) <= 2 * learned
        assert (learned > 0) == (text in CRITICS)

    @pytest.mark.parametrize(
        ("restored", "target", "message"),
        [
            ((1, 3, 48, 48), (1, 3, 48, 47), r"\(1, 3, 48, 48\) and target \(1, 3, 48, 47\)"),
            ((1, 48, 48, 3), (1, 48, 48, 3), r"got \(1, 48, 48, 3\); the channels come second: permute"),
            ((3, 48, 48), (3, 48, 48), r"expected RGB batches of shape \(B, 3, H, W\), got \(3, 48, 48\)"),
            ((1, 1, 48, 48), (1, 1, 48, 48), r"got \(1, 1, 48, 48\)"),
        ],
    )
    def test_refuses_other_shapes(self, text: str, restored: tuple, target: tuple, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            built(text)(torch.zeros(restored), torch.zeros(target))

    def test_refuses_whole_numbers(self, text: str) -> None:
        image = torch.zeros(1, 3, 48, 48, dtype=torch.uint8)
        with pytest.raises(ValueError, match="divide 8-bit values by 255"):
            built(text)(image, image)

    def test_refuses_images_too_small_with_both_sizes(self, text: str) -> None:
        image = torch.rand(1, 3, 3, 3)
        if text in ("l1", "l2", "focal_frequency"):
            assert built(text)(image, image) == 0, "one pixel is enough"
            return
        with pytest.raises(ValueError, match="3x3") as refusal:
            built(text)(image, image)
        assert len(re.findall(r"\d+", str(refusal.value).replace("3x3", ""))) > 0, "the size that would do"


@pytest.mark.parametrize("text", [text for text in EVERY if text not in OF_BATCHES])
class TestEveryLossOfSingleImages:
    def test_is_least_where_the_images_are_equal(self, text: str, generator: torch.Generator) -> None:
        restored, target = pair(generator)
        at_target, apart = built(text)(target, target), built(text)(restored, target)
        if text in DISTANCES:
            assert at_target.item() == pytest.approx(0, abs=1e-6)
        assert 0 <= at_target < 0.5 * apart

    def test_a_batch_counts_the_mean_of_its_images(self, text: str, generator: torch.Generator) -> None:
        restored, target = pair(generator, 3)
        together = built(text)(restored, target)
        alone = [built(text)(restored[i : i + 1], target[i : i + 1]) for i in range(3)]
        torch.testing.assert_close(together, torch.stack(alone).mean(), rtol=1e-4, atol=1e-7)


COMPILED = """
import json, sys, pytest, torch
from pathlib import Path
from tests.losses.test_contracts import BROKEN_UP
from pdloss.losses import objective
from tests.losses.random_weights import use_random_weights

use_random_weights(Path(sys.argv[1]), pytest.MonkeyPatch())
target = torch.nn.functional.interpolate(torch.rand(2, 3, 9, 9), (48, 48), mode="bicubic").clamp(0, 1)
restored = (target + 0.1 * torch.randn(target.shape)).clamp(0, 1).requires_grad_()

def measured(loss):
    value = loss(restored, target)
    return value.item(), *torch.autograd.grad(value, restored)

for text in json.load(sys.stdin):
    torch.manual_seed(0)
    plain, loss = (objective(text).build().terms[0] for _ in range(2))
    loss.load_state_dict(plain.state_dict())
    torch._dynamo.reset()
    whole = not text.startswith(BROKEN_UP) and "projection" not in text
    compiled = torch.compile(loss, backend="eager", fullgraph=whole)
    (value, gradient), (expected, slope) = measured(compiled), measured(plain)
    off = ((gradient - slope).norm() / slope.norm()).item()
    print(json.dumps([text, value, expected, off]))
"""


def test_every_loss_gives_the_same_compiled(tmp_path: Path) -> None:
    # In a process of its own: what checks shapes in the tests cannot be traced.
    command = [sys.executable, "-W", "ignore", "-c", COMPILED, str(tmp_path)]
    said = subprocess.run(command, input=json.dumps(EVERY), capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr[-3000:]
    measured = [json.loads(line) for line in said.stdout.splitlines()]
    assert [text for text, *_ in measured] == EVERY
    for text, value, expected, off in measured:
        assert value == pytest.approx(expected, rel=1e-4), text
        assert off < 1e-3, text
