"""Small studies, and ways to talk to their server."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import numpy as np
import pytest
from PIL import Image

from pdloss.study.folder import StudyFolder
from pdloss.study.planning.design import design
from pdloss.study.planning.protocol import StudyProtocol
from pdloss.study.records import Question
from pdloss.study.serving import reading
from pdloss.study.serving.api import Api
from pdloss.study.serving.guard import RateLimit
from pdloss.study.serving.server import application

SMALL = StudyProtocol(crop=32, questions=6, raters=4, seed=1, training=2)
BEGIN = {"screen": {"width": 1200, "height": 800, "ratio": 1}}
_numbers = itertools.count()


def write_folders(folder: Path, methods: int = 3, images: int = 4, size: tuple[int, int] = (48, 40)) -> dict[str, Path]:
    """Writes pictures of the target and of methods, each blurred a little more than the one before."""
    rng = np.random.default_rng(0)
    folders = {name: folder / name for name in ("target", *(f"method{k}" for k in range(methods)))}
    for image in range(images):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        picture = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=float)
        picture = (picture + 12 * rng.standard_normal(picture.shape)).clip(0, 255)
        for k, path in enumerate(folders.values()):
            path.mkdir(parents=True, exist_ok=True)
            small = Image.fromarray(picture.astype(np.uint8)).resize((size[0] // (1 + k), size[1] // (1 + k)))
            small.resize(size).save(path / f"photo{image}.png")
    return folders


def make_study(
    folder: Path, protocol: StudyProtocol = SMALL, methods: int = 3, images: int = 4, **size: tuple[int, int]
) -> Path:
    folders = write_folders(folder / "pictures", methods, images, **size)
    design({k: v for k, v in folders.items() if k != "target"}, folders["target"], folder / "study", protocol)
    return folder / "study"


def asked(study: StudyFolder, plan: list[str]) -> list[Question]:
    return [study.questions[name] for name in plan]


def open_api(path: Path, url: str | None = None, **options: object) -> Api:
    study = StudyFolder(path)
    return Api(study, reading.open_store(study, url), **options)  # type: ignore[arg-type]


def begin(api: Api, **changes: object) -> dict:
    """Begins as a new rater."""
    from pdloss.study.serving.requests import BeginRequest, decoded

    nonce = f"nonce-{next(_numbers):030d}"
    return api.begin(decoded(json.dumps({"nonce": nonce, **BEGIN, **changes}).encode(), BeginRequest))


def answer(api: Api, session: dict, position: int, choice: str = "left", key: str | None = None) -> dict:
    from pdloss.study.serving.requests import AnswerRequest

    name = session["questions"][position]["id"]
    return api.answer(session["key"], AnswerRequest(position, name, choice, 1.5, key or f"answer-key-{position:06d}"))


def unlimited() -> RateLimit:
    return RateLimit(1e9, 1e9)


class Client:
    """Asks an ASGI application, with no network between."""

    def __init__(self, app: object, address: str = "10.0.0.1") -> None:
        self.app, self.address = app, address

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> SimpleNamespace:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"host": "study.example", "content-length": str(len(data))}
        if body is not None:
            sent["content-type"] = "application/json"
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        sent |= headers or {}
        return asyncio.run(self._ask(method, path, data, sent))

    async def _ask(self, method: str, path: str, data: bytes, headers: dict[str, str]) -> SimpleNamespace:
        from urllib.parse import unquote_to_bytes

        where, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote_to_bytes(where).decode("utf-8", "replace"),
            "raw_path": where.encode("utf-8", "surrogateescape"),
            "query_string": query.encode("utf-8", "surrogateescape"),
            "root_path": "",
            "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()],
            "client": (self.address, 1234),
            "server": ("study.example", 80),
            "state": {},
        }
        messages = [{"type": "http.request", "body": data, "more_body": False}]
        got: list[dict] = []

        async def receive() -> dict:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            got.append(message)

        await self.app(scope, receive, send)
        raw = b"".join(message.get("body", b"") for message in got[1:])
        found = {name.decode(): value.decode("latin-1") for name, value in got[0]["headers"]}
        reply = SimpleNamespace(status=got[0]["status"], headers=found, body=raw)
        reply.json = lambda: json.loads(raw)
        return reply


def client(api: Api, limit: RateLimit | None = None) -> Client:
    return Client(application(api, limit or unlimited()))


class Running:
    """The server as users start it, in a process of its own."""

    def __init__(self, study: Path, *options: str, before: str = "pass", stderr: IO[str] | None = None) -> None:
        self.study, self.options, self.before, self.stderr = study, options, before, stderr
        self.start()

    def start(self, port: int = 0) -> None:
        code = f"import sys; {self.before}; from pdloss.commands.study import main; sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "serve", str(self.study), "--port", str(port)]
        command += [] if "--rate" in self.options else ["--rate", "1000000"]
        self.process = subprocess.Popen(
            [*command, *self.options], stdout=subprocess.PIPE, stderr=self.stderr, text=True
        )
        assert self.process.stdout
        lines = [self.process.stdout.readline() for _ in range(3)]
        assert lines[2].startswith("you: "), lines
        self.admin = lines[2].split()[1]
        self.secret = self.admin.partition("#")[2]
        self.address = lines[0].split()[-1]
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    def kill(self) -> None:
        """Kills it with -9."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def restart(self) -> None:
        self.kill()
        self.start(self.port)


@contextmanager
def running(study: Path, *options: str, **how: Any) -> Iterator[Running]:
    server = Running(study, *options, **how)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


class Cluster:
    """A PostgreSQL of our own.

    Args:
        folder: With its data.
        as_other: Command before the command, by which it runs as another user.
    """

    def __init__(self, folder: Path, as_other: list[str]) -> None:
        self.folder, self.as_other = folder, as_other
        self.url = f"postgresql://study@/postgres?host={folder}"
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*self.as_other, "postgres", "-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "",
                 "-c", "max_connections=40"],
                stdout=log, stderr=log, cwd="/",
            )  # fmt: skip
        _wait_until_ready(self.url, self.process)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # "fast": does not wait until the last connection is closed
        self.process.wait()


@contextmanager
def postgres() -> Iterator[str]:
    """Starts a PostgreSQL of our own and yields its address, or skips."""
    with cluster() as found:
        yield found.url


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Starts a PostgreSQL of our own, or skips."""
    if not (shutil.which("postgres") and shutil.which("initdb")):
        pytest.skip("needs PostgreSQL: initdb and postgres are not on the PATH")
    as_other: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if not shutil.which("setpriv"):
            pytest.skip("needs setpriv, to run PostgreSQL as another user than root")
        as_other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    folder = Path(tempfile.mkdtemp(prefix="pdloss-postgres-"))  # pytest's own folders are closed to other users
    try:
        if as_other:
            shutil.chown(folder, "nobody", "nogroup")
        data = folder / "data"
        made = subprocess.run(
            [*as_other, "initdb", "-D", str(data), "-A", "trust", "-U", "study", "--no-sync", "-E", "UTF8"],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"initdb cannot run here: {made.stderr.strip()[-200:]}")
        found = Cluster(folder, as_other)
        try:
            yield found
        finally:
            found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(url: str, server: subprocess.Popen) -> None:
    import psycopg

    while server.poll() is None:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            continue  # connecting itself takes a while: no need to sleep
    pytest.skip("PostgreSQL cannot run here")


def begun(ask: Client, number: int = 0) -> dict:
    reply = ask("POST", "/api/begin", {"nonce": f"nonce{number:030d}", **BEGIN})
    assert reply.status == 200, reply.body
    return reply.json()


def given(session: dict, position: int, choice: str = "left", seconds: float = 2.0) -> dict:
    name = session["questions"][position]["id"]
    key = f"key-{session['key'][:8]}-{position:08d}"
    return {"position": position, "question": name, "choice": choice, "seconds": seconds, "key": key}
