"""What resuming needs comes back as it was: parts, random streams and where it stood."""

import json
import random
from pathlib import Path

import numpy as np
import torch

from pdloss.runs import RunFolder
from pdloss.runs.states import State, random_state, seed_everything, set_random_state
from tests.runs.parts import network_and_optimiser


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    seed_everything(3)
    network, optimiser = network_and_optimiser()
    run.save(State(7, 12.5), network, optimiser)
    expected = torch.rand(3)

    seed_everything(4)
    other, its_optimiser = network_and_optimiser()
    assert run.resume(other, its_optimiser) == State(7, 12.5)
    assert torch.equal(torch.rand(3), expected), "the random stream goes on"
    for name, tensor in network.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
    for parameter, same in zip(network.parameters(), other.parameters(), strict=True):
        for key, value in optimiser.state[parameter].items():
            restored = its_optimiser.state[same][key]
            assert torch.equal(restored, value)
            assert restored.stride() == value.stride(), "the memory layout too: kernels round along it"


def test_other_parts_come_back_too(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    (network, optimiser), (critic, its_optimiser) = network_and_optimiser(), network_and_optimiser()
    run.save(State(7, 12.5), network, optimiser, criterion=critic, optimiser_of_critic=its_optimiser)
    (other, other_optimiser), (new, new_optimiser) = network_and_optimiser(), network_and_optimiser()
    run.resume(other, other_optimiser, criterion=new, optimiser_of_critic=new_optimiser)
    for name, tensor in critic.state_dict().items():
        assert torch.equal(new.state_dict()[name], tensor)
    for parameter, same in zip(critic.parameters(), new.parameters(), strict=True):
        assert torch.equal(its_optimiser.state[parameter]["exp_avg"], new_optimiser.state[same]["exp_avg"])


def test_pythons_and_numpys_streams_come_back_too() -> None:
    tensors, numbers = random_state()
    numbers = json.loads(json.dumps(numbers))  # as the file's header holds it
    expected = np.random.rand(3)
    random.seed(5)
    set_random_state(tensors, numbers)
    assert random.getstate()[1] == tuple(numbers["python"][1])
    np.testing.assert_array_equal(np.random.rand(3), expected)
