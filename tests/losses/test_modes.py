"""What every loss promises in other number formats, modes and places: the same value, or a refusal in a sentence."""

import copy
import multiprocessing
import pickle
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
from torch import Tensor, nn

from tests.losses.every import EVERY, built, pair, value_and_gradient
from tests.losses.random_weights import use_random_weights

BACKBONES = [
    f"perceptual(features='{features}')"
    for features in ("vgg16-torchvision.relu2_2", "alexnet.relu2", "squeezenet.fire3", "steerable")
]
"""Every kind of backbone beside the one that all other losses are tried with."""


@pytest.fixture(autouse=True, scope="module")
def _weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        use_random_weights(tmp_path_factory.mktemp("assets"), patch)
        yield


def measured(loss: nn.Module, restored: Tensor, target: Tensor) -> float:
    """In a process of its own."""
    return float(loss(restored, target))


# Directions that are drawn in another way take the same way through every mode.
SAMPLE = [text for text in EVERY if not re.search("projection='(pairs|perturbed|orthogonal)'", text)]


@pytest.mark.parametrize("text", [*SAMPLE, *BACKBONES])
class TestEveryLoss:
    @pytest.mark.parametrize("of_module", [None, torch.float16, torch.bfloat16, torch.float64])
    def test_takes_images_and_casts_of_any_precision(
        self, text: str, of_module: torch.dtype | None, generator: torch.Generator
    ) -> None:
        restored, target = pair(generator)
        exact, slope = value_and_gradient(built(text), restored, target)
        every = (torch.float64, torch.float16, torch.bfloat16)
        for of_images in every if of_module is None else (torch.float32, of_module):
            loss = built(text) if of_module is None else built(text).to(of_module)
            value, gradient = value_and_gradient(loss, restored.to(of_images), target.to(of_images))
            coarse = max(torch.finfo(kind).eps for kind in (torch.float32, of_images, of_module or of_images))
            assert value.dtype in (torch.float32, torch.float64)
            assert value.item() == pytest.approx(exact.item(), rel=max(1e-4, 32 * coarse), abs=1e-4)
            assert gradient.dtype == of_images
            if coarse < 1e-6:
                assert (gradient - slope).norm() < 1e-2 * slope.norm()

    def test_gives_the_same_without_a_graph(self, text: str, generator: torch.Generator) -> None:
        images = pair(generator)
        expected = built(text)(*images)
        with torch.no_grad():
            assert torch.equal(built(text)(*images), expected)
        with torch.inference_mode():
            assert torch.equal(built(text)(*(image.clone() for image in images)), expected)
            assert torch.equal(built(text).eval()(*images), built(text).eval()(*images))

    def test_a_loss_made_in_inference_mode_still_has_gradients(self, text: str, generator: torch.Generator) -> None:
        restored, target = pair(generator)
        loss = built(text)
        with torch.inference_mode():
            loss(restored, target)
        _, gradient = value_and_gradient(loss, restored, target)
        assert gradient.abs().sum() > 0

    def test_copies_give_the_same(self, text: str, generator: torch.Generator) -> None:
        images = pair(generator)
        loss = built(text)
        copies = [copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), nn.DataParallel(copy.deepcopy(loss))]
        expected = loss(*images)
        for made in copies:
            assert torch.equal(made(*images), expected)

    def test_layout_changes_nothing_but_rounding(self, text: str, generator: torch.Generator) -> None:
        restored, target = pair(generator)
        expected = built(text)(restored, target)
        last = [images.contiguous(memory_format=torch.channels_last) for images in (restored, target)]
        strided = [torch.stack([images, images], -1).flatten(-2)[..., ::2] for images in (restored, target)]
        assert not strided[0].is_contiguous()
        for images in (last, strided):
            torch.testing.assert_close(built(text)(*images), expected, rtol=1e-4, atol=1e-6)
            _, gradient = value_and_gradient(built(text), *images)
            assert gradient.isfinite().all()

    def test_refuses_a_batch_without_pixels(self, text: str) -> None:
        for shape in ((0, 3, 48, 48), (1, 3, 0, 48)):
            with pytest.raises(ValueError, match="holds no pixels to compare; leave it out"):
                built(text)(torch.zeros(shape), torch.zeros(shape))

    def test_a_target_with_a_graph_is_a_constant(self, text: str, generator: torch.Generator) -> None:
        restored, target = pair(generator)
        start = target.clone().requires_grad_()
        value, gradient = value_and_gradient(built(text), restored, start * 1)
        expected, slope = value_and_gradient(built(text), restored, target)
        assert torch.equal(value, expected)
        assert torch.equal(gradient, slope)
        assert start.grad is None


def test_every_loss_reaches_a_process_of_its_own(generator: torch.Generator) -> None:
    images = pair(generator)
    losses = [built(text) for text in EVERY]
    expected = [measured(copy.deepcopy(loss), *images) for loss in losses]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        values = list(pool.map(measured, losses, *([image] * len(losses) for image in images)))
    assert values == pytest.approx(expected, rel=1e-4)
