"""Three scales: resizing, the order of things, what is shared, where gradients go."""

import math

import pytest
import torch
from torch import Tensor, nn

from pdloss.networks import SRN, DsDeblur, MultiScaleNetwork
from pdloss.networks.multiscale import Memory, resize_tf1, resized
from pdloss.ops.resize import resize
from tests.networks.helpers import picture
from tests.oracles import tensorflow1 as oracle

BOTH = pytest.mark.parametrize("kind", [SRN, DsDeblur])


def small(kind: type[SRN] | type[DsDeblur], **options: object) -> MultiScaleNetwork:
    torch.manual_seed(0)
    return kind(**{"width": 4, **options}).build().double()


@pytest.mark.parametrize("size", [(2, 3), (4, 6), (16, 24), (5, 7), (8, 12)])
def test_tensorflows_resizing_is_its_formula(size: tuple[int, int]) -> None:
    image = picture(2, 3, 8, 12)
    expected = oracle.resize_bilinear(image.permute(0, 2, 3, 1).numpy(), *size)
    # Places between pixels are computed in single precision, as TensorFlow does.
    torch.testing.assert_close(
        resize_tf1(image, size), torch.from_numpy(expected).permute(0, 3, 1, 2), rtol=0, atol=1e-6
    )
    torch.testing.assert_close(resized(image, size, "tf1"), resize_tf1(image, size))


def test_tensorflows_resizing_decimates() -> None:
    image = picture(1, 3, 8, 12)
    assert torch.equal(resize_tf1(image, (2, 3)), image[..., ::4, ::4])


@pytest.mark.parametrize("factor", [1 / 4, 1 / 2, 2])
def test_antialiased_resizing_is_matlabs_bilinear_away_from_the_border(factor: float) -> None:
    image = picture(1, 3, 32, 48)
    size = (round(32 * factor), round(48 * factor))
    inside = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(resized(image, size)[inside], resize(image, size, kernel="bilinear")[inside])


def test_what_has_the_size_already_comes_back_itself() -> None:
    image = picture(1, 3, 4, 4)
    assert resized(image, (4, 4)) is image


@BOTH
def test_the_result_is_the_finest_of_the_scales(kind: type[SRN] | type[DsDeblur]) -> None:
    net, image = small(kind), picture(2, 3, 33, 47)
    scales = net.forward_scales(image)
    assert [tuple(x.shape) for x in scales] == [(2, 3, 9, 12), (2, 3, 17, 24), (2, 3, 33, 47)]
    assert torch.equal(net(image), scales[-1])


@BOTH
@pytest.mark.parametrize("how", ["antialiased", "tf1"])
def test_targets_have_the_sizes_of_the_results(kind: type[SRN] | type[DsDeblur], how: str) -> None:
    net, image = small(kind, resize=how), picture(2, 3, 33, 47)
    targets = net.target_scales(image)
    assert [x.shape for x in targets] == [x.shape for x in net.forward_scales(image)]
    assert torch.equal(targets[-1], image)
    if how == "tf1":
        assert torch.equal(targets[0], image[..., ::4, ::4])
        assert torch.equal(targets[1], image[..., ::2, ::2])
    else:
        for factor, target in ((4, targets[0]), (2, targets[1])):
            inside = (..., slice(2, 32 // factor - 2), slice(2, 44 // factor - 2))
            expected = resize(image[..., :32, :44], (32 // factor, 44 // factor), kernel="bilinear")
            torch.testing.assert_close(target[inside], expected[inside])


@BOTH
def test_other_sizes_are_those_with_their_border_repeated(kind: type[SRN] | type[DsDeblur]) -> None:
    net, image = small(kind), picture(1, 3, 17, 30)
    padded = torch.nn.functional.pad(image, (0, 2, 0, 15), mode="replicate")
    torch.testing.assert_close(net(image), net(padded)[..., :17, :30])


@BOTH
@pytest.mark.parametrize("resize", ["antialiased", "tf1"])
def test_planes_are_images_by_themselves(kind: type[SRN] | type[DsDeblur], resize: str) -> None:
    net, image = small(kind, planes=True, resize=resize), picture(2, 3, 16, 16)
    reds = net(image[:, :1].expand(-1, 3, -1, -1))
    torch.testing.assert_close(reds[:, 0], reds[:, 2])
    torch.testing.assert_close(net(image)[:, 0], reds[:, 0])


@BOTH
def test_each_scale_sees_the_image_and_the_result_before(kind: type[SRN] | type[DsDeblur]) -> None:
    net, image, seen = small(kind, planes=False), picture(1, 3, 32, 32), []
    for changes in net.changes:
        changes.enter.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    scales = net.forward_scales(image)
    assert len(seen) == 3
    for x, target in zip(seen, net.target_scales(image), strict=True):
        torch.testing.assert_close(x[:, :3], target)
    torch.testing.assert_close(seen[0][:, 3:], seen[0][:, :3], msg="at the coarsest scale the image guides itself")
    torch.testing.assert_close(seen[1][:, 3:], resized(scales[0], (16, 16)))
    torch.testing.assert_close(seen[2][:, 3:], resized(scales[1], (32, 32)))


@BOTH
def test_what_works_within_a_level_is_the_same_module_at_every_scale(kind: type[SRN] | type[DsDeblur]) -> None:
    net, calls = small(kind), []
    for name, module in [*net.stages.items(), *((f"changes {i}", c.down3) for i, c in enumerate(net.changes))]:
        module.register_forward_hook(lambda module, inputs, output, name=name: calls.append(name))
    net(picture(1, 3, 16, 16))
    own = ["changes 0"] * 3 if kind is SRN else ["changes 0", "changes 1", "changes 2"]
    down = [call for call in calls if call.startswith("changes")]
    assert down == own
    assert [call for call in calls if call not in own] == ["enc1", "enc2", "enc3", "dec3", "dec2", "dec1"] * 3
    pointers = [p.data_ptr() for p in net.state_dict().values()]
    assert len(set(pointers)) == len(pointers), "and each tensor is written once"


def untouched(net: nn.Module, loss: Tensor) -> set[str]:
    net.zero_grad()
    loss.backward()
    return {name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()}


def test_detached_scales_learn_only_from_their_own_loss() -> None:
    net, image = small(DsDeblur, detach=True), picture(1, 3, 32, 32)
    own = {name for name, _ in net.named_parameters() if name.startswith(("changes.0.", "changes.1."))}
    assert untouched(net, net(image).square().mean()) == own
    assert untouched(net, sum(x.square().mean() for x in net.forward_scales(image))) == set()
    through = small(DsDeblur)
    assert untouched(through, through(image).square().mean()) == set()
    assert torch.equal(through(image), net(image)), "what is computed is the same"


def test_srn_stops_the_gradient_unless_asked_not_to() -> None:
    image, gradients = picture(1, 3, 32, 32), []
    for detach in (True, False):
        net = small(SRN, detach=detach)
        net(image).square().mean().backward()
        gradients.append(net.changes[0].leave.weight.grad)
    assert not torch.allclose(*gradients)
    assert SRN().detach
    assert not DsDeblur().detach


def test_an_empty_memory_forgets_at_the_rate_of_its_bias() -> None:
    memory = Memory(2)
    for parameter in memory.parameters():
        nn.init.zeros_(parameter)
    cell = torch.full((1, 2, 3, 3), 2.0)
    output, state = memory(torch.zeros(1, 2, 3, 3), torch.cat([cell, torch.zeros_like(cell)], 1))
    kept = 2 / (1 + math.exp(-1))
    torch.testing.assert_close(state[:, :2], torch.full_like(cell, kept))
    torch.testing.assert_close(output, torch.full_like(cell, math.tanh(kept) / 2))
    assert torch.equal(output, state[:, 2:])


def test_weights_begin_as_the_authors_begin() -> None:
    torch.manual_seed(0)
    net = SRN(width=8, lstm=True).build()
    kernel = net.stages["enc2"][0].body[0].weight  # 5x5, 16 in, 16 out
    bound = math.sqrt(6 / (25 * (16 + 16)))
    assert 0.98 * bound < kernel.abs().max() <= bound
    assert net.memory.gates.weight.abs().max() <= 2e-3
    assert net.memory.gates.weight.std().item() == pytest.approx(0.88e-3, rel=0.02)  # of a normal cut at two deviations
    assert all(not p.any() for name, p in net.named_parameters() if name.endswith("bias"))
