"""A small Hub on this machine: the few addresses that huggingface_hub asks, over repositories kept in memory."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

constants = pytest.importorskip("huggingface_hub.constants")
yaml = pytest.importorskip("yaml")  # which comes with it


class Hub:
    """Repositories by name: of each a list of commits, each with its files; and who may do what."""

    def __init__(self) -> None:
        self.commits: dict[str, list[dict[str, bytes]]] = {}
        self.private: set[str] = set()
        self.gated: set[str] = set()
        self.token: str | None = None
        """Without which nothing can be written, and nothing private be read."""
        self.mode = "lfs"
        """How files of weights are sent."""
        self.asked: list[tuple[str, str]] = []
        """Method and path of every request."""
        self.agents: set[str] = set()
        self.sizes: dict[str, int] = {}
        """What is said of a file's size, where it is not true."""
        self.stored: dict[str, bytes] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self, "HEAD")

            def do_GET(self) -> None:
                hub.answer(self, "GET")

            def do_POST(self) -> None:
                hub.answer(self, "POST")

            def do_PUT(self) -> None:
                hub.answer(self, "PUT")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def add(self, name: str, **files: bytes) -> str:
        """Adds a commit to a repository, and returns its hash."""
        commits = self.commits.setdefault(name, [])
        commits.append({**(commits[-1] if commits else {}), **files})
        return commit(name, len(commits) - 1)

    def answer(self, request: BaseHTTPRequestHandler, method: str) -> None:
        path = request.path.partition("?")[0]
        self.asked.append((method, path))
        self.agents.add(request.headers["User-Agent"] or "")
        body = received(request)
        allowed = self.token is None or request.headers["Authorization"] == f"Bearer {self.token}"
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            status, headers, content = self.file(*found.groups(), allowed)
        elif path.startswith("/lfs/") and method == "PUT":
            self.stored[hashlib.sha256(body).hexdigest()] = body
            status, headers, content = 200, {}, b""
        elif method == "GET" and (found := re.fullmatch(r"/api/models/([^/]+/[^/]+)", path)):
            name = found[1]
            status, headers, content = said({"id": name, "private": name in self.private, "tags": [], "siblings": []})
        else:
            status, headers, content = self.written(path, body) if allowed else (401, {}, b'{"error": "log in"}')
        request.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if method != "HEAD":
            request.wfile.write(content)

    def file(self, name: str, revision: str, file: str, allowed: bool) -> tuple[int, dict[str, str], bytes]:
        if name in self.gated and not allowed:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        if name not in self.commits or (name in self.private and not allowed):
            return 401, {"X-Error-Code": "RepoNotFound"}, b""
        commits = self.commits[name]
        places = {"main": len(commits) - 1, **{commit(name, place): place for place in range(len(commits))}}
        if revision not in places:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        of = {"X-Repo-Commit": commit(name, places[revision])}
        if file not in commits[places[revision]]:
            return 404, {"X-Error-Code": "EntryNotFound", **of}, b""
        content = commits[places[revision]][file]
        told = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "Content-Length": str(len(content))}
        if file in self.sizes:
            told["X-Linked-Size"] = str(self.sizes[file])
        return 200, {**of, **told}, content

    def written(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            if name in self.commits:
                return said({"url": f"{self.url}/{name}"}, 409)
            self.commits[name] = [{}]
            self.private |= {name} if asked.get("private") or asked.get("visibility") == "private" else set()
            return said({"url": f"{self.url}/{name}"})
        if path == "/api/validate-yaml":
            head = re.match(r"---\n(.*?)\n---\n", json.loads(body)["content"], re.DOTALL)
            assert head and isinstance(yaml.safe_load(head[1]), dict)
            return said({"warnings": [], "errors": []})
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**each, "actions": {"upload": {"href": f"{self.url}/lfs/{each['oid']}"}}}
                for each in json.loads(body)["objects"]
            ]
            return said({"transfer": "basic", "objects": objects})
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path)
        if not found or found[1] not in self.commits:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if found[2] == "preupload":
            files = [
                {"path": each["path"], "uploadMode": self.mode if each["path"].endswith(".safetensors") else "regular",
                 "shouldIgnore": False}
                for each in json.loads(body)["files"]
            ]  # fmt: skip
            return said({"files": files})
        files = {}
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "lfsFile":
                files[line["value"]["path"]] = self.stored[line["value"]["oid"]]
        oid = self.add(found[1], **files)
        return said({"success": True, "commitOid": oid, "commitUrl": f"{self.url}/{found[1]}/commit/{oid}"})


def received(request: BaseHTTPRequestHandler) -> bytes:
    """The body of a request: of a known length, or in chunks."""
    if request.headers["Transfer-Encoding"] != "chunked":
        return request.rfile.read(int(request.headers["Content-Length"] or 0))
    parts = []
    while size := int(request.rfile.readline(), 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def commit(name: str, place: int) -> str:
    return hashlib.sha1(f"{name} {place}".encode()).hexdigest()


def said(answer: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(answer).encode()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub on this machine, and an empty cache for what comes from it."""
    served = Hub()
    monkeypatch.delenv("PDLOSS_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    for name, value in {
        "ENDPOINT": served.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": served.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_TOKEN_PATH": str(tmp_path / "token"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_TELEMETRY": True,
    }.items():
        monkeypatch.setattr(constants, name, value)
    yield served
    served.close()
