"""Where files are looked for, how they are known again, and what is said when they are not there."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import dataclasses
import hashlib
import os
import shutil
import struct
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from pdloss import assets
from pdloss.assets import Source
from pdloss.errors import AssetError
from tests.mirror import BODY, BODY_SHA256, STATE, cache, know, mirror, of, pickled, ready, serving


def test_the_assets_folder_comes_before_the_cache(tmp_path, cache, know, monkeypatch):
    know()
    for folder in (cache, tmp_path / "own"):
        folder.mkdir()
        (folder / "net.safetensors").write_bytes(BODY)
    assert assets.find("net") == cache / "net.safetensors"
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path / "own"))
    assert assets.find("net") == tmp_path / "own" / "net.safetensors"
    assert assets.path("net") == tmp_path / "own" / "net.safetensors"


def test_a_wrong_file_in_the_assets_folder_is_refused_though_the_cache_holds_the_right_one(
    tmp_path, cache, know, monkeypatch
):
    know(ready("http://127.0.0.1:9/net"))
    cache.mkdir()
    (cache / "net.safetensors").write_bytes(BODY)
    (tmp_path / "net.safetensors").write_bytes(BODY[:-1])
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    with pytest.raises(AssetError, match=f"is not net.* expected {BODY_SHA256[:8]}.*pdloss assets get net") as error:
        assets.path("net")
    assert str(tmp_path / "net.safetensors") in str(error.value)


def test_find_never_downloads(cache, know, mirror):
    know(ready(mirror.url("/net", serving(BODY))))
    assert assets.find("net") is None
    assert not mirror.requests
    assert not cache.exists()


def test_an_unknown_name_is_told_the_nearest_known_one():
    with pytest.raises(AssetError, match=r"unknown asset 'vgg19-cafe'; did you mean 'vgg19-caffe'\? Known: .*niqe"):
        assets.path("vgg19-cafe")


@pytest.mark.parametrize(
    ("variables", "platform", "expected"),
    [
        ({"PDLOSS_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "linux", "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "linux", "/b/pdloss"),
        ({}, "linux", "/home/user/.cache/pdloss"),
        ({}, "darwin", "/home/user/Library/Caches/pdloss"),
        ({"LOCALAPPDATA": "/l"}, "win32", "/l/pdloss"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_such_files(variables, platform, expected, monkeypatch):
    for name in ("PDLOSS_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", "/home/user")
    monkeypatch.setattr(sys, "platform", platform)
    assert assets.cache_folder() == Path(expected)


def test_offline_says_where_it_looked_and_what_helps(tmp_path, cache, know, mirror, monkeypatch):
    know(ready(mirror.url("/net", serving(BODY))), instead="use features='distilled.relu4_3', which ship with pdloss")
    monkeypatch.setenv("PDLOSS_OFFLINE", "1")
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path / "typo"))
    with pytest.raises(AssetError) as error:
        assets.path("net")
    assert str(error.value) == (
        f"net.safetensors is not in {tmp_path / 'typo'} (PDLOSS_ASSETS, no such folder) nor in {cache} (the cache, "
        "no such folder), and PDLOSS_OFFLINE forbids a download; run 'pdloss assets get net' without PDLOSS_OFFLINE, "
        "or put the file into a folder and set PDLOSS_ASSETS to it, or use features='distilled.relu4_3', which ship "
        "with pdloss"
    )
    assert not mirror.requests
    monkeypatch.setenv("PDLOSS_OFFLINE", "0")
    assert assets.path("net", progress=False).read_bytes() == BODY


def test_an_asset_without_addresses_asks_for_the_file(cache, know):
    know()
    with pytest.raises(AssetError, match=r"no download address is known; put the file into a folder and set PDLOSS_"):
        assets.path("net")


def test_a_cache_that_cannot_be_written_is_named(tmp_path, cache, know, mirror, monkeypatch):
    know(ready(mirror.url("/net", serving(BODY))))
    (tmp_path / "file").touch()
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "file"))
    with pytest.raises(AssetError, match=r"cannot keep net\.safetensors in .*set PDLOSS_CACHE to a folder that can"):
        assets.path("net")


def test_a_converted_file_is_known_again_elsewhere_unless_damaged(tmp_path, cache, know, mirror, monkeypatch):
    body = pickled(tmp_path, STATE)
    known = know(of(body, mirror.url("/net.pth", serving(body))), sha256=None, tensors=2)
    file = assets.path("net", progress=False)
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    copy = tmp_path / "net.safetensors"
    shutil.copyfile(file, copy)
    assert assets.find("net") == copy
    whole = copy.read_bytes()
    for damage in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1], whole[:5], b""):
        copy.unlink()
        copy.write_bytes(damage)
        os.utime(copy, ns=(0, len(damage) + damage.count(0)))
        with pytest.raises(AssetError, match=r"was not converted from a known source; replace it .* delete it and run"):
            assets.find("net")
    copy.write_bytes(whole)
    other = dataclasses.replace(known, sources=(Source("http://127.0.0.1/other", "0" * 64),))
    monkeypatch.setattr(assets, "ASSETS", {"net": other})
    with pytest.raises(AssetError, match="is not net"):
        assets.find("net")


def test_metadata_is_what_the_writer_wrote(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(
        save({"x": torch.ones(1)}, metadata={"license": "MIT", "layout": "x (1,)"})
    )
    (tmp_path / "b.safetensors").write_bytes(save({"x": torch.ones(1)}))
    assert assets.metadata(tmp_path / "a.safetensors") == {"license": "MIT", "layout": "x (1,)"}
    assert assets.metadata(tmp_path / "b.safetensors") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04" + b"\0" * 60,
        struct.pack("<Q", 1 << 60),
        struct.pack("<Q", 9) + b"{}",
        struct.pack("<Q", 2) + b"[]",
    ],
)
def test_metadata_of_another_kind_of_file_is_refused(body, tmp_path):
    (tmp_path / "net.safetensors").write_bytes(body)
    with pytest.raises(AssetError, match=r"net\.safetensors cannot be read as a safetensors file"):
        assets.metadata(tmp_path / "net.safetensors")


def test_sha256_notices_that_a_file_changed(tmp_path):
    file = tmp_path / "file"
    for time, body in enumerate([b"abc", b"abd"]):
        file.write_bytes(body)
        os.utime(file, ns=(time, time))
        assert assets.sha256(file) == hashlib.sha256(body).hexdigest()
