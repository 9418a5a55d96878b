"""Small sets of photographs for tests to fetch, and a server's answers that go on in the middle."""

import hashlib
import io
import re
import tarfile
import zipfile

import numpy as np
import PIL.Image
import pytest

from pdloss.photo_sets.catalogue import SETS, Download, Part, PhotoSet
from tests.mirror import serving


def png(seed, side=24):
    """Noise: what it holds does not shrink."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return encoded(pixels)


def encoded(pixels, **options):
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="PNG", **options)
    return file.getvalue()


def pixels_hash(body):
    """As `images.pixels_sha256` documents it, by other means."""
    pixels = np.asarray(PIL.Image.open(io.BytesIO(body)).convert("RGB"))
    height, width, _ = pixels.shape
    planes = b"".join(np.ascontiguousarray(pixels[..., channel]).tobytes() for channel in range(3))
    return hashlib.sha256(f"3x{height}x{width}".encode() + planes).hexdigest()


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return file.getvalue()


def tarred(files, mode="w:gz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return file.getvalue()


def going_on(body, asked=None, cut=None, tag=""):
    """Returns an answer that honours Range; it breaks off after `cut` bytes, and notes the ranges asked for."""

    def answer(handler):
        asked.append(handler.headers["Range"]) if asked is not None else None
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"] or "")
        start = int(match[1]) if match else 0
        if match and start >= len(body):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(body)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if match else 200)
        if match:
            handler.send_header("Content-Range", tag or f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        handler.wfile.write(body[start : len(body) if cut is None else start + cut])

    return answer


TRAIN = {f"TOY_train/{name}": png(seed) for seed, name in enumerate(["0001.png", "0002.png", "0003.png"])}
VALID = {f"TOY_valid/{name}": png(seed) for seed, name in enumerate(["0801.png", "0802.png"], start=10)}
TRAIN_ZIP, VALID_ZIP = zipped(TRAIN), zipped(VALID)
ALBUM = {f"k{seed}.png": png(seed) for seed in (21, 22, 23)}
SPLITS = {f"B/images/{split}/{name}.png": png(len(name) + 30) for split in ("train", "val") for name in ("a", "bb")}
SPLITS_TGZ = tarred(SPLITS | {"B/images/train/Thumbs.db": b"junk", "B/segs/a.png": png(40)})


def archive(body, url, kind="sha256"):
    return Download(url, f"{kind}:{hashlib.new(kind, body).hexdigest()}", len(body))


@pytest.fixture
def know_sets(monkeypatch):
    """Makes the given sets known, and no others."""

    def know(*sets):
        monkeypatch.delenv("PDLOSS_OFFLINE", raising=False)
        monkeypatch.setenv("no_proxy", "*")
        for name in [*SETS]:
            monkeypatch.delitem(SETS, name)
        for photo_set in sets:
            monkeypatch.setitem(SETS, photo_set.name, photo_set)

    return know


def toy(train_url, valid_url):
    """Two archives, one for each part."""
    train, valid = archive(TRAIN_ZIP, train_url), archive(VALID_ZIP, valid_url)
    parts = (
        Part("train", 3, len(TRAIN_ZIP), (train,), "TOY_train"),
        Part("valid", 2, len(VALID_ZIP), (valid,), "TOY_valid"),
    )
    return PhotoSet("toy", "noise", "CC0", parts)


def album(*urls):
    """Three images known by their pixels."""
    bodies = {url.rpartition("/")[2]: ALBUM[url.rpartition("/")[2]] for url in urls}
    downloads = tuple(
        Download(url, f"pixels:{pixels_hash(body)}") for url, body in zip(urls, bodies.values(), strict=True)
    )
    return PhotoSet("album", "noise", "CC0", (Part("", len(urls), sum(map(len, bodies.values())), downloads),))


def splits(url):
    """Two parts of one archive, known by its MD5."""
    one = archive(SPLITS_TGZ, url, "md5")
    parts = tuple(
        Part(folder, 2, 4000, (one,), f"B/images/{inside}") for folder, inside in (("train", "train"), ("valid", "val"))
    )
    return PhotoSet("splits", "noise", "CC0", parts)


@pytest.fixture
def toys(mirror, know_sets):
    """The set of two archives, served as the given answers."""

    def toys(train=None, valid=None):
        train, valid = train or going_on(TRAIN_ZIP), valid or going_on(VALID_ZIP)
        know_sets(toy(mirror.url("/train.zip", train), mirror.url("/valid.zip", valid)))

    return toys


@pytest.fixture
def albums(mirror, know_sets):
    """The set of single images; of some, another file may be served."""

    def albums(**other):
        urls = [mirror.url(f"/{name}", serving(other.get(name[:-4], body))) for name, body in ALBUM.items()]
        know_sets(album(*urls))

    return albums


def holds(folder):
    """Everything but locks and the record, by path below the folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    found = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    found.pop("photo_set.json", None)
    return found


def renamed(files, **folders):
    return {f"{folders[path.split('/')[-2]]}/{path.split('/')[-1]}": body for path, body in files.items()}


TOY = renamed(TRAIN | VALID, TOY_train="train", TOY_valid="valid")
