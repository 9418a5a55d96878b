"""A server on this machine that tests download from, and an asset of their own to look for."""

import hashlib
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save

from pdloss import assets
from pdloss.assets import Asset, Source

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


def pickled(tmp_path, state, **options):
    torch.save(state, tmp_path / "state.pth", **options)
    return (tmp_path / "state.pth").read_bytes()


def of(body, url, **options):
    return Source(url, hashlib.sha256(body).hexdigest(), **options)


STATE = {
    "features.0.weight": torch.arange(6.0).reshape(2, 3),
    "features.0.bias": torch.tensor([1.0, 2.0], dtype=torch.float64),
    "classifier.0.weight": torch.ones(3, 4),
}
