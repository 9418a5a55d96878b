"""One file from a real server that goes on in the middle, or does not, or breaks off, or has another file."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import collections
import errno
import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from pdloss.files import downloads
from pdloss.files.checksums import checksum
from pdloss.files.downloads import TransferError, download, readable
from tests.mirror import mirror, send, serving
from tests.photo_sets.toys import going_on

BODY = hashlib.shake_256(b"photographs").digest(700_001)


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def part(tmp_path):
    return tmp_path / "a.part"


def fetched(url, part, **options):
    return download(url, part, label="a", progress=False, **options)


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_file_that_broke_off_is_gone_on_with(size, part, mirror):
    asked = []
    url = mirror.url("/a", going_on(BODY, asked, cut=300_000))
    with pytest.raises(TransferError, match=f"broke off after 300000 of {len(BODY)} bytes"):
        fetched(url, part, size=size)
    with pytest.raises(TransferError, match=f"broke off after 600000 of {len(BODY)} bytes"):
        fetched(url, part, size=size)
    assert fetched(url, part, size=size) is True
    assert part.read_bytes() == BODY
    assert asked == [None, "bytes=300000-", "bytes=600000-"]


def test_a_whole_file_of_known_size_is_not_asked_for(part, mirror):
    part.write_bytes(BODY)
    assert fetched(mirror.url("/a", serving(BODY)), part, size=len(BODY)) is True
    assert not mirror.requests


def test_a_whole_file_of_unknown_size_is_asked_for_and_not_sent_again(part, mirror):
    part.write_bytes(BODY)
    asked = []
    assert fetched(mirror.url("/a", going_on(BODY, asked)), part) is True
    assert asked == [f"bytes={len(BODY)}-"]
    assert part.read_bytes() == BODY


@pytest.mark.parametrize(
    "answer",
    [
        serving(BODY),
        going_on(BODY, tag=f"bytes 0-{len(BODY) - 1}/{len(BODY)}"),
        going_on(BODY, tag=f"bytes 1000-{len(BODY)}/{len(BODY) + 1}"),
        going_on(BODY, tag="bytes of another kind"),
    ],
    ids=["ignores-range", "starts-elsewhere", "another-length", "nonsense"],
)
def test_a_server_that_cannot_go_on_there_is_asked_for_the_whole(answer, part, mirror):
    part.write_bytes(b"x" * 1000)
    assert fetched(mirror.url("/a", answer), part, size=len(BODY)) is False
    assert part.read_bytes() == BODY


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_what_is_longer_than_the_file_is_replaced(size, part, mirror):
    part.write_bytes(BODY + b"more")
    assert fetched(mirror.url("/a", going_on(BODY)), part, size=size) is False
    assert part.read_bytes() == BODY


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (serving(b"<html>please log in</html>"), f"serves 26 bytes, expected {len(BODY)}"),
        (lambda handler: handler.send_error(503), "HTTP Error 503"),
        (lambda handler: handler.connection.close(), "."),
    ],
    ids=["log-in-page", "unavailable", "hangs-up"],
)
def test_a_useless_answer_leaves_what_came_before(answer, reason, part, mirror):
    part.write_bytes(BODY[:1000])
    with pytest.raises(TransferError, match=reason):
        fetched(mirror.url("/a", answer), part, size=len(BODY))
    assert part.read_bytes() == BODY[:1000]
    assert fetched(mirror.url("/good", going_on(BODY)), part, size=len(BODY)) is True
    assert part.read_bytes() == BODY


def test_room_is_needed_for_what_is_missing_and_what_will_be_made_of_it(part, mirror, monkeypatch):
    part.write_bytes(BODY[:1000])
    need = len(BODY) - 1000 + 50
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, need - 1 if folder == part.parent else 0))
    url = mirror.url("/a", going_on(BODY))
    with pytest.raises(OSError, match="699 kB are needed and 699 kB are free") as error:
        fetched(url, part, spare=50)
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(part.parent))
    assert part.read_bytes() == BODY[:1000]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, need))
    assert fetched(url, part, spare=50) is True


ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from pdloss.files.checksums import checksum
from pdloss.files.downloads import TransferError, download
folder, told, untold = sys.argv[1:]
part = Path(folder) / "a.part"
for url in (told, untold):
    try:
        download(url, part, label="a", progress=False)
    except OSError as error:
        print(error.errno, error.strerror, part.stat().st_size if part.exists() else "nothing", sep="|")
"""


def test_a_disk_that_is_really_too_small_is_told_before_or_else_when_it_is_full(tmp_path, mirror):
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=400k tmpfs "$1" && shift && exec "$@"', "sh"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*mount, tmp_path, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs leave to mount a small disk")

    def untold(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(BODY)

    urls = mirror.url("/told", serving(BODY)), mirror.url("/untold", untold)
    command = [*mount, tmp_path, sys.executable, "-c", ON_A_SMALL_DISK, tmp_path, *urls]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    before, full = done.stdout.splitlines()
    assert before == f"{errno.ENOSPC}|700 kB are needed and 410 kB are free|nothing"
    number, words, kept = full.split("|")
    assert (int(number), words) == (errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert 300_000 < int(kept) <= 409_600


def test_a_log_file_is_told_now_and_then_how_long_it_will_take(part, mirror, monkeypatch, capsys):
    part.write_bytes(BODY[:100_000])
    url = mirror.url("/a", going_on(BODY))
    download(url, part, label="photos.zip", size=len(BODY))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("photos.zip: 700 kB of 700 kB, 0.0 min left, ")
    part.unlink()
    monkeypatch.setattr(downloads, "_EVERY", 0.0)
    download(url, part, label="photos.zip", size=len(BODY))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" of ")[0] for line in lines] == [
        "photos.zip: 262 kB",
        "photos.zip: 524 kB",
        "photos.zip: 700 kB",
    ]


def test_a_terminal_shows_a_bar_from_where_it_went_on(part, mirror, monkeypatch, capsys):
    part.write_bytes(BODY[:100_000])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    download(mirror.url("/a", going_on(BODY)), part, label="photos.zip", size=len(BODY))
    shown = capsys.readouterr().err
    assert "photos.zip" in shown
    assert "700.0/700.0 kB" in shown


def test_checksums_are_those_of_the_standards(tmp_path):
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    assert checksum(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert checksum(file, "md5") == "900150983cd24fb0d6963f7d28e17f72"


def test_sizes_have_three_digits():
    assert [readable(size) for size in (0, 999, 1000, 999_499, 1_000_000, 70_763_455, 11_600_000_000)] == [
        "0 bytes", "999 bytes", "1 kB", "999 kB", "1 MB", "70.8 MB", "11.6 GB",
    ]  # fmt: skip
