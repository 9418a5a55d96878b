"""One of everything that people pass on, as folders; and bits flipped in every file of them."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from pdloss import networks
from pdloss.assets import cache_folder
from pdloss.datasets import Photographs
from pdloss.evaluation import evaluate
from pdloss.evaluation.frozen_sets import FrozenPairs, freeze
from pdloss.files.tensors import read_tensors
from pdloss.images import read_image
from pdloss.records import Scores, read_log, read_record
from pdloss.runs import RunFolder
from pdloss.study.folder import StudyFolder
from pdloss.study.planning.design import design
from pdloss.study.planning.protocol import StudyProtocol
from pdloss.training.loop import train
from tests.fuzz.findings import Findings
from tests.runs_for_tests import config, photographs_in

Reader = Callable[[], object]


def make(root: Path) -> Path:
    """Trains, evaluates, freezes and designs, all very small; returns the folder."""
    data = photographs_in(root / "photographs", count=3)
    train(config(data, root / "run", save_every=2, ema=0.9))
    evaluate(root / "run", data, metric_names=["psnr"])
    freeze(Photographs(data), "noise(sigma=0.1)", root / "frozen")
    shown = {name: root / "run" / kind / "photographs" for name, kind in (("a", "restored"), ("b", "degraded"))}
    design(shown, data, root / "study", StudyProtocol(crop=32, questions=3, repeats=1, raters=2, training=1))
    return root


def workplace(made: Path, work: Path) -> Path:
    """Lays two runs, photographs and a study as a user has them beside each other; returns the folder."""
    shutil.copytree(made / "photographs", work / "data")
    for name in ("run", "run2"):
        shutil.copytree(made / "run", work / name, ignore=shutil.ignore_patterns(".lock"))
    shutil.copytree(made / "study", work / "study")
    rows = [f"r{rater},{image},a,b,{side}" for rater in range(3) for image, side in (("x", "left"), ("y", "right"))]
    (work / "answers.csv").write_text("\n".join(["rater,image,left,right,choice", *rows, ""]))
    (work / "plan.toml").write_text("[train]\nsteps = 1\n")
    return work


def _resumed(run: RunFolder) -> object:
    network = networks.network(run.record().network)
    optimiser = torch.optim.Adam(network.parameters())
    random_before = torch.get_rng_state()
    try:
        state = run.resume(network, optimiser, run.record().steps)
    finally:
        torch.set_rng_state(random_before)
    return state, network.state_dict(), optimiser.state_dict()["state"]


def _weights(run: RunFolder) -> object:
    network = networks.network(run.record().network)
    return run.load(network)[0], network.state_dict()


def readers(root: Path) -> dict[Path, Reader]:
    """Returns every file, with what reads it in earnest."""
    run, data, study = RunFolder(root / "run"), root / "photographs", root / "study"
    found: dict[Path, Reader] = {
        run.config: run.record,
        run.path / "photographs.json": run.trained_on,
        run.log: lambda: read_log(run.log),
        run.latest_weights()[1]: lambda: _weights(run),
        run.state: lambda: _resumed(run),
        run.previous: lambda: read_tensors(run.previous),
        root / "frozen" / "manifest.json": lambda: _frozen(root / "frozen", data),
        study / "design.json": lambda: StudyFolder(study).design,
    }
    for file in (run.path / "scores").glob("*.json"):
        found[file] = lambda file=file: read_record(file, Scores)  # type: ignore[misc]
    for folder in (run.path / "restored", run.path / "degraded", data):
        for file in folder.rglob("*.png"):
            found[file] = lambda file=file: read_image(file)  # type: ignore[misc]
    for file in (root / "frozen").rglob("*.png"):
        found[file] = lambda: _frozen(root / "frozen", data)
    for file in (study / "crops").iterdir():
        found[file] = lambda: StudyFolder(study).verify()
    for file in (cache_folder() / "decoded").glob("*.rgb"):
        found[file] = lambda: _pixels(data)
    return found


def _frozen(folder: Path, data: Path) -> object:
    pairs = FrozenPairs(folder, Photographs(data))
    return pairs.manifest, [pairs[index].degraded for index in range(len(pairs))]


def _pixels(data: Path) -> object:
    photographs = Photographs(data)
    return [photographs[index].clone() for index in range(len(photographs))]


def same(one: object, other: object) -> bool:
    """Whether two readings are equal, tensors bit for bit."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one, other)
    return bool(one == other)


def flip_bits(root: Path, count: int, seed: int) -> Findings:
    """Flips one bit at a time, spread evenly over all files, half of them in what stands first in a file."""
    chance = random.Random(seed)
    files = readers(root)
    expected = {file: read() for file, read in files.items()}
    files = {file: read for file, read in files.items() if file.stat().st_size > 1}  # an empty one has no bit to flip
    whole = {file: file.read_bytes() for file in files}
    findings = Findings()
    for number in range(count):
        file = sorted(files)[number % len(files)]
        data = whole[file]
        # The last byte of a log ends its last line: without it, that is one cut short.
        length = len(data) - 1 if number % 2 else min(len(data) - 1, 2000)
        place, bit = chance.randrange(length), chance.randrange(8)
        file.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
        what = f"bit {bit} of byte {place} of {file.relative_to(root) if file.is_relative_to(root) else file.name}"
        findings.attempt(what, files[file], lambda found, file=file: same(found, expected[file]))  # type: ignore[misc]
        file.write_bytes(data)
    return findings
