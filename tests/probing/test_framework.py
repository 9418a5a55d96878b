"""The picture of the method shows what the loss computes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pdloss.errors import ImageError, MissingExtraError
from pdloss.features import extractor
from pdloss.losses import PDL
from pdloss.probing.framework import compared_channels, save_framework

FEATURES = "distilled.relu4_3"


def images(seed: int, height: int = 48, width: int = 64) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_the_mean_is_the_loss_and_each_cost_that_of_sorted_values() -> None:
    restored, target = images(0), images(1)
    compared = compared_channels(restored, target, FEATURES)
    loss = PDL(features=FEATURES).build()(restored, target)
    assert compared.mean == pytest.approx(loss.item(), rel=1e-5)
    for channel in compared.channels:
        apart = np.abs(np.sort(channel.restored.ravel()) - np.sort(channel.target.ravel())).mean()
        assert channel.cost == pytest.approx(apart, rel=1e-5)


def test_the_maps_are_the_networks_own_and_the_first_differs_most() -> None:
    restored, target = images(0), images(1)
    compared = compared_channels(restored, target, FEATURES)
    with torch.no_grad():
        maps = extractor(FEATURES)(target)["relu4_3"][0].numpy()
    assert (compared.layer, compared.count) == ("relu4_3", len(maps))
    for channel in compared.channels:
        np.testing.assert_array_equal(channel.target, maps[channel.index])
    costs = [channel.cost for channel in compared.channels]
    assert costs == sorted(costs, reverse=True)
    most = compared_channels(restored, target, FEATURES, count=1).channels
    every = compared_channels(restored, target, FEATURES, count=10_000).channels
    assert most[0].index == every[0].index
    assert max(channel.cost for channel in every) == most[0].cost


def test_images_too_small_for_the_features_are_refused() -> None:
    with pytest.raises(ImageError, match="too small .*; choose a larger image or a shallower layer"):
        compared_channels(images(0, 4, 4), images(1, 4, 4), FEATURES)


def test_the_files_are_the_same_each_time(tmp_path: Path) -> None:
    first, second = (save_framework(images(0), images(1), FEATURES, tmp_path / n / "f.png", 2) for n in "ab")
    assert [path.name for path in first] == ["f.png", "f.pdf", "f.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    for module in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib is not installed.*pip install 'pdloss\[report\]'"):
        save_framework(images(0), images(1), FEATURES, tmp_path / "f")
