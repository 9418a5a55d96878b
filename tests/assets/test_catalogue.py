"""The catalogue against itself, against real files, and against real sources."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import dataclasses
import hashlib
import importlib.util
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pdloss import assets
from pdloss.errors import AssetError
from tests.mirror import cache, mirror, serving


def test_the_catalogue_holds_what_it_says():
    for name, asset in assets.ASSETS.items():
        assert (name, f"{name}.safetensors") == (asset.name, asset.file)
        assert asset.convention in assets.CONVENTIONS
        assert asset.license
        assert asset.description
        assert asset.layout
        assert asset.sha256 is None or re.fullmatch("[0-9a-f]{64}", asset.sha256)
        assert asset.sha256 or asset.sources
        for source in asset.sources:
            assert source.url.startswith("https://") or source.package
            assert re.fullmatch("[0-9a-f]{8,64}", source.sha256)
            assert source.whole_hash == (len(source.sha256) == 64)
            # torch.hub's rule for file names: NAME-<first digits of the SHA-256>.pth
            if digits := re.search(r"-([0-9a-f]{8,})\.pth$", source.url):
                assert source.sha256.startswith(digits[1])


@pytest.mark.parametrize("name", [name for name in assets.ASSETS if name.startswith("vgg")])
def test_whoever_lacks_a_vgg_is_pointed_to_the_distilled_features(name, cache, monkeypatch):
    monkeypatch.setenv("PDLOSS_OFFLINE", "1")
    cure = r"or for a loss on features take features='distilled\.relu4_3', which ship with pdloss$"
    with pytest.raises(AssetError, match=cure):
        assets.path(name)


@pytest.mark.parametrize("asset", [a for a in assets.ASSETS.values() if a.sha256], ids=lambda asset: asset.name)
def test_the_real_file_is_the_one_in_the_catalogue(asset, assets_folder):
    file = assets_folder / asset.file
    if not file.exists():
        pytest.skip(f"{asset.file} is not in PDLOSS_ASSETS")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == asset.sha256
    assert assets.find(asset.name) == file
    assert assets.metadata(file)["input_convention" if asset.name != "dists" else "layout"]


@pytest.mark.parametrize("asset", [a for a in assets.ASSETS.values() if a.sha256], ids=lambda asset: asset.name)
def test_a_conversion_would_yield_the_tensors_of_the_real_file(asset, assets_folder):
    file = assets_folder / asset.file
    if not file.exists():
        pytest.skip(f"{asset.file} is not in PDLOSS_ASSETS")
    names = set(load_file(file))
    if lacking := assets.metadata(file).get("missing"):
        names |= {name for name in lacking.split() if not name.startswith("fc.")}
    if asset.name == "vgg16-caffe":  # which ends at conv4_3
        names |= {f"features.{index}.{part}" for index in (24, 26, 28) for part in ("weight", "bias")}
    assert len(names) == asset.tensors
    if asset.rename == r"\1" and asset.name != "niqe":  # where the source has the same names
        assert all(re.fullmatch(asset.keep, name) for name in [*names])
        assert not any(re.fullmatch(asset.keep, name) for name in ["fc.weight", "classifier.1.weight"])


COPIES = {
    "lpips-alex": "lpips_models/alex.pth",
    "lpips-squeeze": "lpips_models/squeeze.pth",
    "lpips-vgg": "lpips_models/vgg.pth",
    "dists": "dists_models/weights.pt",
}
"""Sources of which torchmetrics holds a copy."""


def copy_of_source(name):
    spec = importlib.util.find_spec("torchmetrics")
    if spec is None:
        pytest.skip("needs torchmetrics, whose package holds a copy of the source")
    return Path(spec.origin).parent / "functional" / "image" / COPIES[name]


def converted(name, mirror, monkeypatch):
    body = copy_of_source(name).read_bytes()
    asset = assets.ASSETS[name]
    source = asset.sources[0]
    assert (source.sha256, source.size) == (hashlib.sha256(body).hexdigest(), len(body))
    moved = dataclasses.replace(source, url=mirror.url("/source", serving(body)))
    monkeypatch.setattr(assets, "ASSETS", {name: dataclasses.replace(asset, sources=(moved,))})
    return load_file(assets.path(name, progress=False))


def assert_equal(tensors, expected):
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)


@pytest.mark.parametrize("name", COPIES)
def test_a_real_source_is_converted_whole(name, cache, mirror, monkeypatch):
    state = torch.load(copy_of_source(name), weights_only=True, map_location="cpu")
    if name == "dists":
        expected = {key: state[key].reshape(1475) for key in ("alpha", "beta")}
    else:
        expected = {f"lin{layer}.weight": state[f"lin{layer}.model.1.weight"] for layer in range(len(state))}
    assert_equal(converted(name, mirror, monkeypatch), expected)


@pytest.mark.parametrize("name", COPIES)
def test_a_real_source_becomes_the_real_file(name, assets_folder, cache, mirror, monkeypatch):
    file = assets_folder / f"{name}.safetensors"
    if not file.exists():
        pytest.skip(f"{file.name} is not in PDLOSS_ASSETS")
    assert_equal(converted(name, mirror, monkeypatch), load_file(file))
