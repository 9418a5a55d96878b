"""How many raters a study's server bears, and whether it loses an answer when it is killed.

    python benchmarks/study_load.py [--raters 200] [--kills 10] [--database URL] [--pace 2] [--out FILE]

Needs ``pip install 'pdloss[study]'``. A study of small random pictures is served by ``pdloss study serve`` in a process
of its own, on SQLite or on the empty PostgreSQL database named. Raters in this process, who share the machine with the
server, take part in three rounds: each answers as a quick person would, a pause of `--pace` seconds on average between
two answers, pictures loaded and verified; then without any pause; then without any pause while the server is killed
with -9 again and again and started anew. In the end every acknowledged answer must be in the database once, no other
may be, and nobody may have been asked a question twice. Written to ``benchmarks/results/study_load.json``.
"""

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from PIL import Image

from pdloss.benchmarking import environment
from pdloss.files import write_atomically
from pdloss.study.planning.design import design
from pdloss.study.planning.protocol import StudyProtocol
from pdloss.study.serving import reading

SERVE = "import sys; from pdloss.commands.study import main; sys.exit(main(['serve', *sys.argv[1:]]))"
Kept = tuple[int, str, str]


@dataclass(frozen=True)
class Options:
    """How to measure."""

    raters: int = 200
    """Taking part at once, in each round."""
    questions: int = 20
    """Comparisons of each rater; five checks come on top."""
    kills: int = 10
    """Of the server, in the last round."""
    pace: float = 2.0
    """Seconds between two answers, on average, in the first round."""
    database: str | None = None
    """Empty PostgreSQL database; by default SQLite."""
    out: Path = Path(__file__).parent / "results" / "study_load.json"
    """Results of other databases that stand there are kept."""


class Server:
    """The server, in a process of its own."""

    def __init__(self, study: Path, database: str | None) -> None:
        self.command = [sys.executable, "-c", SERVE, str(study), "--rate", "1000000"]
        self.command += ["--database", database] if database else []
        self.up = asyncio.Event()
        self.port = 0

    async def start(self) -> None:
        """Starts it and waits until it listens."""
        command = [*self.command, "--port", str(self.port)]
        self.process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert self.process.stdout
        self.port = int((await self.process.stdout.readline()).decode().rstrip("/\n").rpartition(":")[2])
        self.up.set()

    async def kill(self) -> None:
        """Kills it with -9."""
        self.up.clear()
        self.process.kill()
        await self.process.wait()


@dataclass
class Rater:
    """Answers everything, again and again where no reply comes, and notes what was acknowledged."""

    number: int
    server: Server
    pace: float
    pictures: bool
    acknowledged: list[Kept] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """For each answer that was acknowledged at the first attempt."""
    retries: int = 0
    pipe: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        """Takes part from beginning to end."""
        draw = random.Random(self.number)
        await asyncio.sleep(draw.random() * self.pace)
        screen = {"width": 1280, "height": 720, "ratio": 1}
        session = json.loads(await self.ask("/api/begin", {"nonce": f"nonce-{self.number:030d}", "screen": screen}))
        for position, item in enumerate(session["questions"]):
            if self.pictures:
                for slot in ("left", "right"):
                    await self.ask(f"/api/picture/{position}/{slot}", key=session["key"])
            if self.pace:
                await asyncio.sleep(draw.uniform(0.5, 1.5) * self.pace)
            choice = draw.choice(["left", "right"])
            body = {
                "position": position,
                "question": item["id"],
                "choice": choice,
                "seconds": 1.0,
                "key": f"key-{self.number:010d}-{position:04d}",
            }
            before, start = self.retries, time.perf_counter()
            reply = json.loads(await self.ask("/api/answer", body, session["key"]))
            if self.retries == before:
                self.seconds.append(time.perf_counter() - start)
            if reply["position"] != position + 1:
                raise AssertionError(f"question {position} was followed by {reply['position']}")
            self.acknowledged.append((position, item["id"], choice))
        if self.pipe:
            self.pipe[1].close()

    async def ask(self, path: str, body: dict[str, Any] | None = None, key: str = "") -> bytes:
        """Returns the body of the reply, however often it has to be asked for."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        while True:
            await self.server.up.wait()
            try:
                if self.pipe is None:
                    self.pipe = await asyncio.open_connection("127.0.0.1", self.server.port)
                reader, writer = self.pipe
                writer.write(head.encode() + data)
                reply = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = int(reply.partition("content-length: ")[2].partition("\r")[0])
                found = await reader.readexactly(size)
                if reply.split(" ", 2)[1] == "200":
                    return found
                if reply.split(" ", 2)[1] not in ("429", "503"):
                    raise AssertionError(f"{path}: {reply} {found!r}")
            except (OSError, asyncio.IncompleteReadError):
                self.pipe = None
            self.retries += 1
            await asyncio.sleep(0.05)


async def rounds(options: Options, server: Server) -> tuple[list[Rater], dict[str, Any]]:
    """Returns all raters, and what was measured in each round."""
    await server.start()
    found: dict[str, Any] = {}
    everyone: list[Rater] = []
    for name, pace, kills in (("paced", options.pace, 0), ("flat out", 0.0, 0), ("killed", 0.0, options.kills)):
        raters = [Rater(len(everyone) + k, server, pace, name == "paced") for k in range(options.raters)]
        everyone += raters
        start = time.perf_counter()
        tasks = [asyncio.create_task(rater.run()) for rater in raters]
        for kill in range(kills):
            while sum(len(rater.acknowledged) for rater in raters) < (kill + 1) / (kills + 1) * total(options):
                await asyncio.sleep(0.005)
            await server.kill()
            await server.start()
        await asyncio.gather(*tasks)
        found[name] = summary(raters, time.perf_counter() - start)
        print(f"{name}: {found[name]}", flush=True)
    await server.kill()
    return everyone, found


def total(options: Options) -> int:
    """Returns the answers of one round."""
    return options.raters * (options.questions + 5)


def summary(raters: list[Rater], seconds: float) -> dict[str, Any]:
    """Returns answers per second and quantiles of their latency."""
    taken = sorted(s for rater in raters for s in rater.seconds)
    answers = sum(len(rater.acknowledged) for rater in raters)
    return {
        "answers": answers,
        "answers_a_second": round(answers / seconds, 1),
        "median_ms": round(1000 * statistics.median(taken), 1),
        "p99_ms": round(1000 * taken[int(0.99 * (len(taken) - 1))], 1),
        "largest_ms": round(1000 * taken[-1], 1),
        "asked_again": sum(rater.retries for rater in raters),
    }


def check(raters: list[Rater], study: Path, database: str | None) -> dict[str, int]:
    """Returns how many answers were acknowledged, kept, lost, never acknowledged and kept twice."""
    kept = reading.study_answers(study, database)
    acknowledged = Counter(answer for rater in raters for answer in rater.acknowledged)
    there = Counter((answer.position, answer.question, str(answer.choice)) for answer in kept)
    return {
        "acknowledged": acknowledged.total(),
        "kept": there.total(),
        "lost": (acknowledged - there).total(),
        "not_acknowledged": (there - acknowledged).total(),
        "twice": len(kept) - len({(answer.rater, answer.question) for answer in kept}),
    }


def write_study(folder: Path, options: Options) -> Path:
    """Returns the folder of a study of three methods on twelve random pictures, crops of 128 pixels."""
    draw = np.random.default_rng(0)
    for name in ("target", "a", "b", "c"):
        (folder / name).mkdir()
        for image in range(12):
            pixels = draw.integers(0, 256, (128, 128, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{image}.png")
    protocol = StudyProtocol(crop=128, questions=options.questions, raters=options.raters, seed=0)
    design({name: folder / name for name in "abc"}, folder / "target", folder / "study", protocol)
    return folder / "study"


def main(options: Options) -> None:
    """Measures, checks, prints and writes."""
    with tempfile.TemporaryDirectory() as folder:
        study = write_study(Path(folder), options)
        server = Server(study, options.database)
        raters, found = asyncio.run(rounds(options, server))
        kept = check(raters, study, options.database)
    name = "postgresql" if options.database else "sqlite"
    record = json.loads(options.out.read_text()) if options.out.exists() else {}
    record[name] = {
        **environment(torch.device("cpu")),
        "protocol": f"{options.raters} raters at once with {options.questions} comparisons and 5 checks each, on the "
        f"machine of the server; paced: {options.pace:g} s between answers, pictures loaded; killed: -9, "
        f"{options.kills} times; latency of answers acknowledged at the first attempt",
        "rounds": found,
        "answers": kept,
    }
    print(kept)
    write_atomically(options.out, lambda path: path.write_text(json.dumps(record, indent=2) + "\n"))
    if kept["lost"] or kept["twice"] or kept["not_acknowledged"]:
        raise SystemExit("answers were lost or kept twice")


if __name__ == "__main__":
    main(tyro.cli(Options))
