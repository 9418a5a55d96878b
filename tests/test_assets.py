"""Assets against a real server on this machine that breaks off, lies, serves the wrong file or is slow on purpose."""

import dataclasses
import hashlib
import importlib.util
import os
import pickle
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from pdloss import assets, fetching
from pdloss.assets import Asset, Source
from pdloss.errors import AssetError

BODY = save({"weight": torch.arange(60000.0)}, metadata={"source": "this test"})
BODY_SHA256 = hashlib.sha256(BODY).hexdigest()


class Mirror:
    """A server on 127.0.0.1: `answers` maps a path to what it does; `requests` counts who asked for what."""

    def __init__(self):
        self.answers, self.requests = {}, Counter()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.requests[self.path] += 1
                mirror.answers[self.path](self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Clients that give up early are what these tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def url(self, path, answer):
        self.answers[path] = answer
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def send(handler, body, length):
    handler.send_response(200)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(body)


def serving(body):
    return lambda handler: send(handler, body, len(body))


def breaking_off(body):
    return lambda handler: send(handler, body[: len(body) // 2], len(body))


def promising_too_little(body):
    return lambda handler: send(handler, body, len(body) // 2)


def resetting(body):
    def answer(handler):
        send(handler, body[: len(body) // 2], len(body))
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    return answer


def missing(handler):
    handler.send_error(404)


@pytest.fixture
def mirror():
    mirror = Mirror()
    yield mirror
    mirror.close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of this test's own, and leave to download."""
    monkeypatch.delenv("PDLOSS_OFFLINE", raising=False)
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache"


@pytest.fixture
def know(monkeypatch):
    """Makes one asset the only one known."""

    def know(*sources, **changes):
        fields = {"sha256": BODY_SHA256, "license": "none", "convention": "torchvision", "description": "a test"}
        asset = Asset(name="net", file="net.safetensors", sources=sources, **(fields | changes))
        monkeypatch.setattr(assets, "ASSETS", {"net": asset})
        return asset

    return know


def ready(url, sha256=BODY_SHA256):
    return Source(url, sha256, format="safetensors")


def left_in(folder):
    return sorted(file.name for file in folder.iterdir() if file.suffix != ".lock")


# ------------------------------------------------------------------------------------------------- where files are


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


# -------------------------------------------------------------------------------------------------------- downloads


def test_a_download_is_kept_and_not_repeated(cache, know, mirror, capsys):
    know(ready(mirror.url("/net", serving(BODY))))
    assert assets.path("net") == cache / "net.safetensors"
    assert assets.path("net").read_bytes() == BODY
    assert mirror.requests["/net"] == 1
    assert left_in(cache) == ["net.safetensors"]
    printed = capsys.readouterr()
    assert "net" in printed.err
    assert not printed.out


def test_progress_can_be_turned_off(cache, know, mirror, capsys):
    know(ready(mirror.url("/net", serving(BODY))))
    assets.path("net", progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (breaking_off(BODY), f"broke off after {len(BODY) // 2} of {len(BODY)} bytes|IncompleteRead"),
        (promising_too_little(BODY), f"SHA-256 begins with .*expected {BODY_SHA256[:8]}"),
        (resetting(BODY), "broke off"),
        (serving(b"<html>This domain is for sale</html>"), f"SHA-256 begins with .*expected {BODY_SHA256[:8]}"),
        (missing, "HTTP Error 404"),
    ],
    ids=["breaks-off", "lies-about-length", "resets", "wrong-file", "not-found"],
)
class TestABadAddress:
    def test_is_left_for_the_next_one(self, answer, reason, cache, know, mirror):
        know(ready(mirror.url("/bad", answer)), ready(mirror.url("/good", serving(BODY))))
        assert assets.path("net", progress=False).read_bytes() == BODY
        assert mirror.requests == {"/bad": 1, "/good": 1}
        assert left_in(cache) == ["net.safetensors"]

    def test_leaves_nothing_behind_and_says_why(self, answer, reason, cache, know, mirror):
        know(ready(url := mirror.url("/bad", answer)), instead="use something else")
        with pytest.raises(AssetError, match=reason) as error:
            assets.path("net", progress=False)
        assert left_in(cache) == []
        assert f"net.safetensors is not in {cache} (the cache)" in str(error.value)
        assert url in str(error.value)
        assert "'pdloss assets get net'" in str(error.value)
        assert str(error.value).endswith("set PDLOSS_ASSETS to it, or use something else")


def test_an_address_that_falls_silent_is_left_for_the_next_one(cache, know, mirror, monkeypatch):
    monkeypatch.setattr(fetching, "_TIMEOUT", 0.1)
    over = threading.Event()

    def silent(handler):
        send(handler, BODY[:100], len(BODY))
        over.wait(60)

    know(ready(mirror.url("/silent", silent)), ready(mirror.url("/good", serving(BODY))))
    try:
        assert assets.path("net", progress=False).read_bytes() == BODY
    finally:
        over.set()


def test_a_host_that_refuses_is_named(cache, know):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        know(ready(f"http://127.0.0.1:{unused.getsockname()[1]}/net"))
        with pytest.raises(AssetError, match=r"no address served it \(http://127.*refused\)"):
            assets.path("net", progress=False)


def test_a_hash_known_in_part_is_compared_in_part(cache, know, mirror):
    know(ready(mirror.url("/net", serving(BODY)), BODY_SHA256[:8]), sha256=None)
    assert assets.path("net", progress=False).read_bytes() == BODY
    know(ready(mirror.url("/net", serving(BODY + b" ")), BODY_SHA256[:8]), sha256=None)
    (cache / "net.safetensors").unlink()
    with pytest.raises(AssetError, match=f"expected {BODY_SHA256[:8]}"):
        assets.path("net", progress=False)


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


def test_a_full_disk_is_not_blamed_on_the_address(cache, know, mirror, monkeypatch):
    know(ready(mirror.url("/net", serving(BODY))), ready(mirror.url("/second", serving(BODY))))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetching.shutil, "copyfile", full)
    with pytest.raises(AssetError, match=r"cannot keep .*: No space left on device; set PDLOSS_CACHE"):
        assets.path("net", progress=False)
    assert mirror.requests == {"/net": 1}
    assert left_in(cache) == []


# -------------------------------------------------------------------------------------------------------- processes

WORKER = """
import sys
from pdloss import assets
name, sha256, url = sys.argv[1:]
source = assets.Source(url, sha256, format="safetensors")
assets.ASSETS = {name: assets.Asset(name, f"{name}.safetensors", sha256, (source,), "none", "torchvision", "a test")}
print(assets.path(name))
"""


def worker(url):
    command = [sys.executable, "-c", WORKER, "net", BODY_SHA256, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once_share_one_download(cache, mirror):
    begun, second_waits = threading.Event(), threading.Event()

    def slow(handler):
        begun.set()
        assert second_waits.wait(60)
        send(handler, BODY, len(BODY))

    url = mirror.url("/net", slow)
    with worker(url) as first:
        assert begun.wait(60)
        with worker(url) as second:
            assert "another process is fetching net.safetensors" in second.stderr.readline()
            second_waits.set()
            printed = [process.communicate(timeout=60)[0].strip() for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert printed == [str(cache / "net.safetensors")] * 2
    assert mirror.requests["/net"] == 1
    assert (cache / "net.safetensors").read_bytes() == BODY
    assert left_in(cache) == ["net.safetensors"]


@pytest.mark.parametrize("without", ["fcntl", "locks"])
def test_where_there_are_no_locks_two_downloads_do_not_damage_each_other(without, cache, know, mirror, monkeypatch):
    if without == "fcntl":
        monkeypatch.setitem(sys.modules, "fcntl", None)
    else:
        fcntl = pytest.importorskip("fcntl")

        def unsupported(*_):
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr(fcntl, "flock", unsupported)
    both = threading.Barrier(2, timeout=60)

    def once_both_ask(handler):
        both.wait()
        send(handler, BODY, len(BODY))

    know(ready(mirror.url("/net", once_both_ask)))
    files = []
    threads = [threading.Thread(target=lambda: files.append(assets.path("net", progress=False))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [file.read_bytes() == BODY for file in files] == [True, True]
    assert left_in(cache) == ["net.safetensors"]


def test_a_killed_download_leaves_no_file_and_no_lock(cache, know, mirror):
    half, over = threading.Event(), threading.Event()

    def stuck(handler):
        send(handler, BODY[: len(BODY) // 2], len(BODY))
        half.set()
        over.wait(60)

    with worker(mirror.url("/stuck", stuck)) as process:
        assert half.wait(60)
        process.kill()
        process.communicate(timeout=60)
    over.set()
    assert not (cache / "net.safetensors").exists()
    assert any(name.endswith(".part") for name in left_in(cache))  # it was indeed killed half-way
    know(ready(mirror.url("/good", serving(BODY))))
    assert assets.path("net", progress=False).read_bytes() == BODY
    assert left_in(cache) == ["net.safetensors"]


# ------------------------------------------------------------------------------------------------------- conversion

STATE = {
    "features.0.weight": torch.arange(6.0).reshape(2, 3),
    "features.0.bias": torch.tensor([1.0, 2.0], dtype=torch.float64),
    "classifier.0.weight": torch.ones(3, 4),
}


def pickled(tmp_path, state, **options):
    torch.save(state, tmp_path / "state.pth", **options)
    return (tmp_path / "state.pth").read_bytes()


def of(body, url, **options):
    return Source(url, hashlib.sha256(body).hexdigest(), **options)


@pytest.mark.parametrize("zipped", [True, False])
def test_conversion_keeps_the_tensors_in_use_and_tells_their_origin(zipped, tmp_path, cache, know, mirror):
    body = pickled(tmp_path, STATE, _use_new_zipfile_serialization=zipped)
    source = of(body, mirror.url("/net.pth", serving(body)))
    know(source, sha256=None, tensors=2, layout="two tensors", license="CC0")
    file = assets.path("net", progress=False)
    kept = load_file(file)
    assert kept.keys() == {"features.0.weight", "features.0.bias"}
    for name, tensor in kept.items():
        torch.testing.assert_close(tensor, STATE[name], rtol=0, atol=0)
    told = assets.metadata(file)
    assert told.pop("content_sha256")
    assert told == {
        "source": source.url,
        "source_sha256": hashlib.sha256(body).hexdigest(),
        "license": "CC0",
        "input_convention": "RGB in [0, 1], minus (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225)",
        "layout": "two tensors",
    }
    assert b"classifier" not in file.read_bytes()
    assert left_in(cache) == ["net.safetensors"]


def test_arrays_are_converted_renamed_and_squeezed(tmp_path, cache, know, mirror):
    covariance = np.asfortranarray(np.arange(4.0).reshape(2, 2))
    np.savez(tmp_path / "model.npz", mu_model=np.array([[1.0, 2.0]]), cov_model=covariance, other=np.zeros(3))
    body = (tmp_path / "model.npz").read_bytes()
    source = of(body, mirror.url("/model.npz", serving(body)), format="npz")
    know(source, sha256=None, tensors=2, keep="(mu|cov)_model", rename=r"\1", squeeze=True)
    kept = load_file(assets.path("net", progress=False))
    assert kept.keys() == {"mu", "cov"}
    assert kept["mu"].tolist() == [1.0, 2.0]
    assert kept["cov"].tolist() == [[0.0, 1.0], [2.0, 3.0]]


class Evil:
    """Makes a folder when it is unpickled by a trusting reader."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("container", ["plain", "zip", "npz"])
def test_code_in_a_download_is_not_run(container, tmp_path, cache, know, mirror):
    harm = tmp_path / "harm"
    state = {"features.0.weight": Evil(harm)}
    if container == "npz":
        np.savez(tmp_path / "evil.npz", **{"features.0.weight": np.array([Evil(harm)], dtype=object)})
        body = (tmp_path / "evil.npz").read_bytes()
        with np.load(tmp_path / "evil.npz", allow_pickle=True) as trusting:
            trusting["features.0.weight"]
    elif container == "zip":
        body = pickled(tmp_path, state)
        torch.load(tmp_path / "state.pth", weights_only=False)
    else:
        body = pickle.dumps(state)
        pickle.loads(body)
    harm.rmdir()  # a trusting reader was harmed: the attack is real
    url = mirror.url("/evil", serving(body))
    know(of(body, url, format="npz" if container == "npz" else "pickle"), sha256=None, tensors=1)
    with pytest.raises(AssetError, match="cannot be read as plain tensors, and code inside it is never run"):
        assets.path("net", progress=False)
    assert not harm.exists()
    assert left_in(cache) == []


def test_a_source_without_the_tensors_in_use_is_left_for_the_next_one(tmp_path, cache, know, mirror):
    poor, rich = pickled(tmp_path, {"features.0.bias": torch.ones(1), "epoch": 3}), pickled(tmp_path, STATE)
    strange = pickled(tmp_path, [torch.ones(1)])
    know(
        of(poor, mirror.url("/poor", serving(poor))),
        of(strange, mirror.url("/strange", serving(strange))),
        sha256=None,
        tensors=2,
    )
    with pytest.raises(AssetError, match=r"holds 1 of the tensors in use, expected 2;.*holds a list, expected tensors"):
        assets.path("net", progress=False)
    know(of(poor, mirror.url("/poor", serving(poor))), of(rich, mirror.url("/rich", serving(rich))), tensors=2)
    assert len(load_file(assets.path("net", progress=False))) == 2


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


# ----------------------------------------------------------------------------------------------- reading the header


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


# -------------------------------------------------------------------------------------------------------- catalogue


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
            assert source.url.startswith("https://")
            assert re.fullmatch("[0-9a-f]{8,64}", source.sha256)
            assert source.whole_hash == (len(source.sha256) == 64)
            # torch.hub's rule for file names: NAME-<first digits of the SHA-256>.pth
            if digits := re.search(r"-([0-9a-f]{8,})\.pth$", source.url):
                assert source.sha256.startswith(digits[1])


@pytest.mark.parametrize("name", [name for name in assets.ASSETS if name.startswith("vgg")])
def test_whoever_lacks_a_vgg_is_pointed_to_the_distilled_features(name, cache, monkeypatch):
    monkeypatch.setenv("PDLOSS_OFFLINE", "1")
    with pytest.raises(AssetError, match=r"or use features='distilled\.relu4_3', which ship with pdloss$"):
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
