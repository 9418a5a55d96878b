"""DsDeblur: published sizes, the published graph."""

import pytest
import torch

from pdloss.networks import DsDeblur, network
from pdloss.networks.dsdeblur import NestedSkips
from pdloss.networks.tensorflow import converted
from tests.networks.helpers import check_published_graph, parameters, picture
from tests.oracles import tensorflow1 as oracle


# Counted in the authors' checkpoint, and in their code.
@pytest.mark.parametrize(("text", "count"), [("dsdeblur", 3_871_715), ("dsdeblur(planes=False)", 3_876_905)])
def test_has_the_published_number_of_parameters(text: str, count: int) -> None:
    with torch.device("meta"):
        assert parameters(network(text)) == count


def test_nested_skips_are_their_formula_twice() -> None:
    torch.manual_seed(0)
    stage, x = NestedSkips(3).double(), picture(1, 3, 5, 4)
    b1, b2, b3, b4 = stage.branches
    expected = x
    for _ in range(2):
        n1 = b1(expected)
        n2 = b2(expected + n1)
        n3 = b3(expected + n1 + n2)
        expected = expected + n1 + n2 + n3 + b4(expected + n1 + n2 + n3)
    torch.testing.assert_close(stage(x), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_computes_the_published_graph_with_the_published_weights(channels: int) -> None:
    variables = oracle.random_variables(oracle.dsdeblur_shapes(2, channels))
    choice, weights, unused = converted("dsdeblur", variables)
    assert choice == DsDeblur(width=2, planes=channels == 1, resize="tf1")
    assert unused == ()
    net = choice.build().double()
    net.load_state_dict(weights)
    check_published_graph(net, lambda inputs: oracle.dsdeblur(inputs, variables), planes=channels == 1)


def test_without_weights_the_image_passes() -> None:
    net = DsDeblur(width=2).build().double()
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    image = picture(1, 3, 17, 20)
    for restored, target in zip(net.forward_scales(image), net.target_scales(image), strict=True):
        torch.testing.assert_close(restored, target)


def test_a_fresh_network_keeps_values_of_the_size_of_an_image() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        restored = network("dsdeblur(width=8)").forward_scales(picture(1, 3, 32, 32).float())
    assert all(0.1 < x.square().mean().sqrt() < 3 for x in restored)
