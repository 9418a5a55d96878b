"""Downloads from a real server that breaks off, lies, serves the wrong file or is slow on purpose."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import collections
import dataclasses
import hashlib
import os
import pickle
import shutil
import socket
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from pdloss import assets
from pdloss.assets import fetching
from pdloss.errors import AssetError
from pdloss.files import downloads
from tests.mirror import BODY, BODY_SHA256, STATE, cache, know, left_in, mirror, of, pickled, ready, send, serving


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
    monkeypatch.setattr(downloads, "_TIMEOUT", 0.1)
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


def test_a_hash_known_in_part_is_used_where_the_user_says_so_and_compared_in_part(cache, know, mirror):
    know(ready(mirror.url("/net", serving(BODY)), BODY_SHA256[:8]), sha256=None)
    with pytest.raises(
        AssetError, match="only 8 of the 64 digits of its hash are known.*get net --accept-short-hash.*im"
    ):
        assets.path("net", progress=False)
    assert not mirror.requests
    assert assets.path("net", progress=False, short_hash=True).read_bytes() == BODY
    know(ready(mirror.url("/net", serving(BODY + b" ")), BODY_SHA256[:8]), sha256=None)
    (cache / "net.safetensors").unlink()
    with pytest.raises(AssetError, match=f"expected {BODY_SHA256[:8]}"):
        assets.path("net", progress=False, short_hash=True)


def test_the_whole_hash_of_what_first_came_is_shown_remembered_and_demanded(cache, know, mirror, capsys):
    know(ready(mirror.url("/net", serving(BODY)), BODY_SHA256[:1]), sha256=None)
    assets.path("net", short_hash=True)
    assert f"SHA-256 {BODY_SHA256}; 1 digits were known, all are remembered" in capsys.readouterr().err
    (cache / "net.safetensors").unlink()
    longer = (BODY + b"x" * count for count in range(1, 1000))
    other = next(body for body in longer if hashlib.sha256(body).hexdigest()[0] == BODY_SHA256[0])
    know(ready(mirror.url("/other", serving(other)), BODY_SHA256[:1]), sha256=None)
    with pytest.raises(AssetError, match=f"what came first was {BODY_SHA256} .*: it was changed"):
        assets.path("net", progress=False, short_hash=True)
    assert not (cache / "net.safetensors").exists()


def test_a_list_of_first_hashes_that_cannot_be_read_is_no_licence(cache, know, mirror):
    know(ready(mirror.url("/net", serving(BODY)), BODY_SHA256[:8]), sha256=None)
    cache.mkdir()
    (cache / fetching.FIRST_SEEN).write_text("[1")
    with pytest.raises(AssetError, match="first_seen.json cannot be read"):
        assets.path("net", progress=False, short_hash=True)


def test_a_full_disk_is_not_blamed_on_the_address(cache, know, mirror, monkeypatch):
    know(ready(mirror.url("/net", serving(BODY))), ready(mirror.url("/second", serving(BODY))))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetching.shutil, "copyfile", full)
    with pytest.raises(AssetError, match=r"cannot keep .*: No space left on device; set PDLOSS_CACHE"):
        assets.path("net", progress=False)
    assert mirror.requests == {"/net": 1}
    assert left_in(cache) == []


def test_room_for_the_download_and_its_copy_is_looked_for_before_anything_is_written(cache, know, mirror, monkeypatch):
    size = len(BODY)
    know(dataclasses.replace(ready(mirror.url("/net", serving(BODY))), size=size))
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, 2 * size - 1 if folder == cache else 0))
    with pytest.raises(AssetError, match=r"cannot keep .*: 480 kB are needed and 480 kB are free; set PDLOSS_CACHE"):
        assets.path("net", progress=False)
    assert left_in(cache) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 2 * size))
    assert assets.path("net", progress=False).read_bytes() == BODY


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
