"""What becomes of a set when a transfer breaks off, serves another file, is stopped, or fills the disk."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from pdloss.photo_sets.catalogue import Part, PhotoSet
from pdloss.photo_sets.library import DataError, get
from tests.mirror import mirror, serving
from tests.photo_sets.toys import (
    ALBUM,
    SPLITS_TGZ,
    TOY,
    TRAIN_ZIP,
    album,
    albums,
    archive,
    encoded,
    going_on,
    holds,
    know_sets,
    png,
    splits,
    toys,
    zipped,
)


def test_what_broke_off_is_kept_and_gone_on_with(tmp_path, mirror, toys):
    asked = []
    half = len(TRAIN_ZIP) // 2
    toys(train=going_on(TRAIN_ZIP, asked, cut=half))
    with pytest.raises(
        DataError, match=f"train.zip: the transfer broke off after {half} of .* kept, and the same command"
    ):
        get("toy", tmp_path, progress=False)
    (kept,) = holds(tmp_path).values()
    assert kept == TRAIN_ZIP[:half]
    toys(train=going_on(TRAIN_ZIP, asked))
    get("toy", tmp_path, progress=False)
    assert asked == [None, f"bytes={half}-"]
    assert holds(tmp_path) == TOY


def test_an_image_that_broke_off_hides_the_others_until_all_are_there(tmp_path, mirror, know_sets):
    asked = []
    urls = [mirror.url(f"/{name}", serving(body)) for name, body in ALBUM.items()]
    mirror.url("/k22.png", going_on(ALBUM["k22.png"], asked, cut=100))
    know_sets(album(*urls))
    with pytest.raises(DataError, match="k22.png: the transfer broke off"):
        get("album", tmp_path, progress=False)
    assert not list(tmp_path.glob("*.png"))
    mirror.url("/k22.png", going_on(ALBUM["k22.png"], asked))
    get("album", tmp_path, progress=False)
    assert holds(tmp_path) == ALBUM
    assert asked == [None, "bytes=100-"]
    assert mirror.requests == {"/k21.png": 1, "/k22.png": 2, "/k23.png": 1}


def test_what_was_gone_on_with_and_is_wrong_is_begun_anew_once(tmp_path, mirror, toys, capsys):
    asked = []
    toys(train=going_on(TRAIN_ZIP, asked, cut=500))
    with pytest.raises(DataError):
        get("toy", tmp_path, progress=False)
    (part,) = (tmp_path / ".unfinished").iterdir()
    part.write_bytes(b"x" * 500)
    toys(train=going_on(TRAIN_ZIP, asked))
    get("toy", tmp_path)
    assert asked == [None, "bytes=500-", None]
    assert holds(tmp_path) == TOY
    assert (
        "train.zip: what was gone on with is not the published file, its SHA-256 begins with" in capsys.readouterr().err
    )


@pytest.mark.parametrize("kind", ["sha256", "md5", "pixels"])
def test_a_wrong_file_is_thrown_away_and_not_asked_for_again(kind, tmp_path, mirror, toys, know_sets, albums):
    name, words = {
        "sha256": ("toy", "SHA-256"),
        "md5": ("splits", "MD5"),
        "pixels": ("album", "SHA-256 of the pixels"),
    }[kind]
    if kind == "sha256":
        toys(train=serving(b"x" * len(TRAIN_ZIP)))
    elif kind == "md5":
        know_sets(splits(mirror.url("/splits.tgz", serving(b"x" * len(SPLITS_TGZ)))))
    else:
        albums(k21=png(99))
    with pytest.raises(
        DataError, match=f"{name}: http://.* is not the published file, its {words} begins with \\w{{8}}, expected"
    ):
        get(name, tmp_path, progress=False)
    assert holds(tmp_path) == {}
    assert set(mirror.requests.values()) == {1}


def test_a_page_in_place_of_an_image_is_told(tmp_path, albums):
    albums(k21=b"<html></html>")
    with pytest.raises(DataError, match="k21.png is not the published file, it is no image that can be read"):
        get("album", tmp_path, progress=False)


def test_an_archive_that_holds_too_little_leaves_no_folder(tmp_path, mirror, know_sets):
    body = zipped({"TOY_train/0001.png": png(1)})
    part = Part("train", 2, len(body), (archive(body, mirror.url("/train.zip", serving(body))),), "TOY_train")
    know_sets(PhotoSet("toy", "", "", (part,)))
    with pytest.raises(DataError, match="train.zip.*: it holds 1 images in TOY_train, expected 2"):
        get("toy", tmp_path, progress=False)
    assert [path.split("/")[0] for path in holds(tmp_path)] == [".unfinished"]
    assert not (tmp_path / "train").exists()


WORKER = """
import sys
from pathlib import Path
from pdloss import cli
from pdloss.commands import data
from pdloss.photo_sets.catalogue import SETS, Download, Part, PhotoSet
url, checksum, out = sys.argv[1:]
SETS["toy"] = PhotoSet("toy", "", "CC0", (Part("train", 1, 1000, (Download(url, checksum),), "TOY_train"),))
cli.VERBS["data"] = ""
sys.exit(cli.main(["data", "get", "toy", "--out", out]))
"""


def worker(body, url, out, **options):
    command = [sys.executable, "-c", WORKER, url, f"sha256:{hashlib.sha256(body).hexdigest()}", str(out)]
    environment = os.environ | {"PDLOSS_OFFLINE": "0", "no_proxy": "*"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


def test_a_disk_that_is_full_while_unpacking_leaves_no_folder_and_loses_no_download(tmp_path, mirror):
    flat = encoded(np.zeros((1500, 1500, 3), np.uint8), compress_level=0)
    body = zipped({"TOY_train/0001.png": flat})
    url, room = mirror.url("/train.zip", serving(body)), 1_000_000
    assert len(body) < room < len(flat)
    limited = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))}
    with worker(body, url, tmp_path, **limited) as process:
        told = process.communicate(timeout=60)[1].splitlines()[-1]
    assert process.returncode == 1
    assert f"cannot keep toy in {tmp_path}: {os.strerror(errno.EFBIG)}; make room, or choose another --out; " in told
    assert [*holds(tmp_path).values()] == [body]
    assert not (tmp_path / "train").exists()
    with worker(body, url, tmp_path) as process:
        assert f"toy: 1 images in {tmp_path / 'train'}" in process.communicate(timeout=60)[0]
    assert holds(tmp_path) == {"train/0001.png": flat}


def test_stopping_by_hand_keeps_what_came(tmp_path, mirror):
    half, over = threading.Event(), threading.Event()

    def stuck(handler):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        handler.wfile.write(body[:600_000])
        handler.wfile.flush()
        half.set()
        over.wait(60)

    body = zipped({"TOY_train/0001.png": png(1, 600)})

    def listen():  # a job in the background is born deaf to it
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with worker(body, mirror.url("/train.zip", stuck), tmp_path, preexec_fn=listen) as process:
        assert half.wait(60)
        while not any(path.stat().st_size for path in tmp_path.glob(".unfinished/*.part")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
    over.set()
    assert process.returncode == 130
    (kept,) = holds(tmp_path).values()
    assert kept == body[: len(kept)]
    assert 0 < len(kept) <= 600_000
    assert told.splitlines()[-2].endswith(" that came so far are kept, and the same command goes on from there")
    assert told.splitlines()[-1] == "pdloss: stopped"
    asked = []
    with worker(body, mirror.url("/train.zip", going_on(body, asked)), tmp_path) as process:
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert asked == [f"bytes={len(kept)}-"]
