"""What a run folder saves, small."""

import torch


def network_and_optimiser() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A network that has taken a step, and the optimiser that took it."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).to(
        memory_format=torch.channels_last
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    network(torch.rand(2, 3, 8, 8)).square().mean().backward()
    optimiser.step()
    return network, optimiser
