"""Which network weights belong to."""

import pytest
import torch

from pdloss.networks import NETWORKS, network
from pdloss.networks.signature import NETWORK_KEY, network_of, text_in, text_tensor


@pytest.mark.parametrize("text", ["edsr(blocks=1, width=4)", "srn(width=2)", "dsdeblur(width=2, planes=False)",
                                  "srresnet(blocks=1, width=4)"])  # fmt: skip
def test_names_and_shapes_tell_the_network(text: str) -> None:
    assert network_of(network(text).state_dict()) == NETWORKS.parse(text).in_full()


def test_a_text_among_the_weights_tells_what_they_do_not() -> None:
    text = "edsr(blocks=1, width=4, residual_scale=0.1)"
    weights = network(text).state_dict() | {NETWORK_KEY: text_tensor(text)}
    assert network_of(weights) == NETWORKS.parse(text).in_full()


@pytest.mark.parametrize(
    "text", ["srn(width=2)", "os:system(command='x')", "edsr(", "edsr(blocks=1000, width=4096)", "\x00"]
)
def test_a_text_that_is_not_the_weights_is_not_believed(text: str) -> None:
    weights = network("edsr(blocks=1, width=4)").state_dict() | {NETWORK_KEY: text_tensor(text)}
    assert network_of(weights) is None


def test_bytes_that_are_no_text_are_none() -> None:
    assert text_in({NETWORK_KEY: torch.zeros(3)}) is None
    assert text_in({NETWORK_KEY: torch.zeros(10**6, dtype=torch.uint8)}) is None
