"""The run folder: its record, log, weights and state. Every file in it is whole or absent.

``config.json`` · ``log.jsonl`` · ``weights/000300000.safetensors`` (the network) · ``state.safetensors`` (all that
resuming needs, in one file, so that a kill between two files cannot part them). No pickle.
"""

import contextlib
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from pdloss.errors import RunError
from pdloss.files import remove_unfinished, write_atomically
from pdloss.records import LogLine, RunRecord, TrainedOn, read_log, read_record, write_record

# What may differ when a run goes on: it does not change the result, or is checked by itself (the data's fingerprint).
_NOT_BINDING = {"data", "degraded", "valid", "valid_degraded", "versions", "commit", "created", "parameters", "images"}


Stateful = nn.Module | torch.optim.Optimizer


class State(NamedTuple):
    """Where a training stands."""

    step: int
    seconds: float


class RunFolder:
    """One run on disk.

    Args:
        path: The folder.
        writes: Whether this process writes it; of several that train together only the first does.
    """

    def __init__(self, path: Path, writes: bool = True) -> None:
        self.path, self.writes = path, writes
        self.config = path / "config.json"
        self.log = path / "log.jsonl"
        self.state = path / "state.safetensors"

    def record(self) -> RunRecord:
        """Returns the run's record.

        Raises:
            RunError: If the folder is not a run.
        """
        if not self.config.exists():
            raise RunError(f"{self.path} is not a run folder: it has no config.json")
        return read_record(self.config, RunRecord)

    def open(self, record: RunRecord, photographs: Mapping[str, str]) -> RunRecord:
        """Makes the folder for this record, or checks that it belongs to the same one; returns the one on disk.

        A folder in which no step was kept, such as that of a network which turned out not to fit, is made anew.

        Args:
            record: Every choice.
            photographs: Name to `picture_hash` of every image trained on.

        Raises:
            RunError: If the folder holds a run of another configuration, with the difference shown, or other files.
        """
        if self.config.exists():
            before = self.record()
            difference = _difference(before, record)
            if not difference:
                return before
            if self.state.exists() or any((self.path / "weights").glob("*")):
                raise RunError(
                    f"{self.path} holds a run with another configuration; choose another --out, or the same options: "
                    + "; ".join(difference)
                )
        elif self.path.exists():
            strangers = [p.name for p in self.path.iterdir() if not p.name.startswith(".")]
            if strangers:
                raise RunError(
                    f"{self.path} holds other files ({', '.join(sorted(strangers)[:3])}); choose another --out"
                )
        write_record(self.path / "photographs.json", TrainedOn(images=dict(photographs)))
        write_record(self.config, record)
        return record

    def photographs(self) -> dict[str, str]:
        """Returns name and `picture_hash` of every image trained on; none where the run does not tell."""
        path = self.path / "photographs.json"
        return read_record(path, TrainedOn).images if path.exists() else {}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second process from training in the same folder; the lock goes when the process does.

        Half-written files of a process that was killed are removed.

        Raises:
            RunError: If another process holds it.
        """
        try:
            import fcntl
        except ImportError:  # no such locks on Windows
            yield
            return
        if not self.writes:
            yield
            return
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(f"another process is training in {self.path}") from None
            remove_unfinished(self.path)
            remove_unfinished(self.path / "weights")
            yield

    def append_log(self, line: LogLine) -> None:
        """Adds one line to ``log.jsonl``."""
        if not self.writes:
            return
        with self.log.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")

    def cut_log(self, step: int) -> None:
        """Drops log lines after `step`: training takes those steps again."""
        if not self.writes:
            return
        lines = [line for line in read_log(self.log) if line.step <= step]
        text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        write_atomically(self.log, lambda path: path.write_bytes(text))

    def weights_file(self, step: int) -> Path:
        """Returns where the network's weights after `step` steps stand."""
        return self.path / "weights" / f"{step:09d}.safetensors"

    def latest_weights(self) -> tuple[int, Path]:
        """Returns the newest weights and their step.

        Raises:
            RunError: If there are none yet.
        """
        found = sorted((self.path / "weights").glob("[0-9]*.safetensors"))
        if not found:
            raise RunError(f"{self.path} has no weights yet: train it first, or wait for its first checkpoint")
        return int(found[-1].stem), found[-1]

    def save(
        self,
        state: State,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        weights: nn.Module | None = None,
        **others: Stateful,
    ) -> None:
        """Writes the weights, then the state; each is whole or the one before it stays.

        Args:
            state: Where the training stands.
            network: What is trained.
            optimiser: What trains it.
            weights: What to write as the run's weights instead of the network's own.
            **others: Modules and optimisers that change in training too, by a name of their own.
        """
        if not self.writes:
            return
        # So that the file alone is enough to restore with.
        header = {"format": "pt"} | ({"network": self.record().network} if self.config.exists() else {})
        write_tensors(self.weights_file(state.step), _tensors((weights or network).state_dict()), header)
        tensors: dict[str, Tensor] = {}
        for name, part in {"network": network, "optimiser": optimiser, **others}.items():
            tensors |= {f"{name}.{key}": tensor for key, tensor in _state_of(part).items()}
        randomness, numbers = _random_state()
        header = {"step": str(state.step), "seconds": repr(state.seconds), "random": json.dumps(numbers)}
        write_tensors(self.state, tensors | randomness, header)

    def resume(self, network: nn.Module, optimiser: torch.optim.Optimizer, **others: Stateful) -> State:
        """Puts all parts and the random streams where `save` found them; a fresh run starts at step 0.

        Args:
            network: What is trained.
            optimiser: What trains it.
            **others: As in `save`.

        Raises:
            RunError: If the state is damaged or belongs to another network.
        """
        if not self.state.exists():
            self.cut_log(0)
            return State(0, 0.0)
        try:
            with safe_open(self.state, "pt") as file:
                header = file.metadata()
            tensors = load_file(self.state)
            for name, part in {"network": network, "optimiser": optimiser, **others}.items():
                if isinstance(part, nn.Module):
                    part.load_state_dict(_below(tensors, f"{name}."))
                else:
                    _load_optimiser(part, _below(tensors, f"{name}."))
            _set_random_state(tensors, json.loads(header["random"]))
        except (SafetensorError, RuntimeError, KeyError) as error:
            raise RunError(f"{self.state} cannot be resumed from ({error}); remove it to start again") from error
        state = State(int(header["step"]), float(header["seconds"]))
        self.cut_log(state.step)
        return state


def seed_everything(seed: int) -> None:
    """Seeds torch's, Python's and NumPy's global streams: users' own networks and losses may draw from any."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str] | None = None) -> None:
    """Writes a safetensors file, whole or not at all; equal content gives equal bytes.

    Raises:
        OSError: If it cannot be written; safetensors' own writer would hide a full disk in an error of its own kind.
    """
    data = save(dict(tensors), None if header is None else dict(header))
    length = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + length])
    # safetensors puts the header's words in another order every time, and the file's hash would differ.
    text = json.dumps(entries | {"__metadata__": dict(sorted(header.items()))} if header else entries).encode()
    text += b" " * (-len(text) % 8)

    def written(temporary: Path) -> None:
        with temporary.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.write(memoryview(data)[8 + length :])

    write_atomically(path, written)


def load_weights(path: Path, network: nn.Module) -> None:
    """Loads a network's weights from a safetensors file.

    Raises:
        RunError: If the file is missing, is no safetensors file, or belongs to another network.
    """
    try:
        network.load_state_dict(load_file(path))
    except FileNotFoundError:
        raise RunError(f"{path} does not exist") from None
    except SafetensorError as error:
        raise RunError(f"{path} is not a safetensors file: {error}") from None
    except RuntimeError as error:
        first = str(error).strip().splitlines()
        names = first[min(1, len(first) - 1)].strip().split(", ")
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise RunError(f"{path} belongs to another network: {', '.join(names[:3])}{more}") from None


def _difference(before: RunRecord, now: RunRecord) -> list[str]:
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(now)
    return [
        f"{key} was {old[key]!r}, is {new[key]!r}" for key in old if key not in _NOT_BINDING and old[key] != new[key]
    ]


def _tensors(values: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: torch.as_tensor(value).detach().cpu().contiguous().clone() for name, value in values.items()}


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _state_of(part: Stateful) -> dict[str, Tensor]:
    if isinstance(part, nn.Module):
        return _tensors(part.state_dict())
    states = part.state_dict()["state"]
    return _tensors({f"{index}.{name}": value for index, values in states.items() for name, value in values.items()})


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        like = parameters[int(index)]
        # The same memory layout as before the stop: elementwise kernels round differently along another one.
        value = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape and tensor.ndim else tensor
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _random_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns torch's states as tensors, Python's and NumPy's as JSON values."""
    tensors = {"random.torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors |= {f"random.cuda.{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return tensors, {"python": random.getstate(), "numpy": [name, np.asarray(keys).tolist(), *rest]}


def _set_random_state(tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
    torch.set_rng_state(tensors["random.torch"])
    for name, state in _below(tensors, "random.cuda.").items():
        if int(name) < torch.cuda.device_count():
            torch.cuda.set_rng_state(state, int(name))
    version, internal, gauss = numbers["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, *rest = numbers["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002
