"""SRN: published sizes, the published graph."""

import pytest
import torch

from pdloss.networks import SRN, network
from pdloss.networks.tensorflow import converted
from tests.networks.helpers import check_published_graph, parameters
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
    check_published_graph(net, lambda inputs: oracle.srn(inputs, variables), planes=channels == 1)
