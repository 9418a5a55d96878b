"""SRN: published sizes, the published graph."""

import numpy as np
import pytest
import torch

from pdloss.networks import SRN, network
from pdloss.networks.tensorflow import converted
from tests.networks.helpers import parameters, picture
from tests.oracles import tensorflow1 as oracle


# Counted in the authors' code.
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("srn", 6_881_251),
        ("srn(planes=True)", 6_876_449),
        ("srn(lstm=True)", 6_881_251 + 1_180_160),
        ("srn(planes=True, lstm=True)", 6_876_449 + 1_180_160),
    ],
)
def test_has_the_published_number_of_parameters(text: str, count: int) -> None:
    with torch.device("meta"):
        assert parameters(network(text)) == count


@pytest.mark.parametrize(("channels", "lstm"), [(3, False), (1, False), (1, True), (3, True)])
def test_computes_the_published_graph_with_the_published_weights(channels: int, lstm: bool) -> None:
    variables = oracle.random_variables(oracle.srn_shapes(2, channels, lstm))
    choice, weights, unused = converted("srn", variables)
    assert choice == SRN(width=2, lstm=lstm, planes=channels == 1, resize="tf1")
    assert unused == ()
    net = choice.build().double()
    net.load_state_dict(weights)
    image = picture(1, 3, 16, 32)
    pixels = image.permute(0, 2, 3, 1).numpy()
    inputs = pixels if channels == 3 else pixels.transpose(3, 1, 2, 0)
    for scale, expected in zip(net.forward_scales(image), oracle.srn(inputs, variables), strict=True):
        expected = expected if channels == 3 else expected.transpose(3, 1, 2, 0)
        assert np.ptp(expected) > 0.01
        torch.testing.assert_close(scale, torch.from_numpy(expected).permute(0, 3, 1, 2), rtol=1e-9, atol=1e-9)
