"""The run folder: its record, log, weights and state. Every file in it is whole or absent.

``config.json`` · ``log.jsonl`` · ``weights/000300000.safetensors`` (the network) · ``state.safetensors`` (all that
resuming needs, in one file, so that a kill between two files cannot part them) · ``state.previous.safetensors`` (the
same of the checkpoint before) · ``photographs.json`` (what was trained on). No pickle. What resuming or scoring reads
carries a digest, so that damage is named instead of trained on.
"""

import contextlib
import difflib
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from msgspec.structs import replace
from torch import nn

from pdloss.errors import RunError
from pdloss.files import locked, refuse_link, remove_unfinished, write_bytes
from pdloss.files.lists import first_few
from pdloss.files.tensors import read_tensors, write_tensors
from pdloss.networks.signature import NETWORK_KEY
from pdloss.records import LogLine, RunRecord, TrainedOn, log_text, read_log, read_record, write_record
from pdloss.runs.bindings import PLACES, other_choices, other_photographs
from pdloss.runs.renamed import with_todays_names
from pdloss.runs.states import State, Stateful, load_module, packed, tensors_of, unpack

_FOLDERS = ("weights", "tensorboard", "wandb", "mlflow")
"""Folders in a run folder that a training writes into, itself or through a logger."""


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
        self.previous = path / "state.previous.safetensors"

    @property
    def begun(self) -> bool:
        """Whether a step of it was kept, from which it can go on."""
        return self.state.exists() or self.previous.exists()

    def record(self) -> RunRecord:
        """Returns the run's record.

        Raises:
            RunError: If the folder is not a run.
        """
        if not self.config.exists():
            raise RunError(no_run(self.path))
        return with_todays_names(read_record(self.config, RunRecord))

    def check(self, record: RunRecord) -> None:
        """Refuses a folder that is not this record's, before anything is made; the photographs are compared by `open`.

        Raises:
            RunError: If it holds a run of another configuration, with the difference shown, or other files.
        """
        if self.config.exists():
            difference = other_choices(self.record(), record)
            if difference and self._kept():
                raise RunError(
                    f"{self.path} holds a run with another configuration; choose another --out, or the same options: "
                    + "; ".join(difference)
                )
        elif self.path.exists():
            others = [p.name for p in self.path.iterdir() if not p.name.startswith(".")]
            if others:
                raise RunError(f"{self.path} holds other files ({', '.join(sorted(others)[:3])}); choose another --out")

    def open(self, record: RunRecord, trained_on: TrainedOn, by_size: str = "") -> RunRecord:
        """Makes the folder for this record, or checks that it belongs to the same one; returns the one on disk.

        A folder in which no step was kept, such as that of a process killed before its first checkpoint, is made anew.

        Args:
            record: Every choice.
            trained_on: The photographs.
            by_size: Their fingerprint as version 0.1.0 made it.

        Returns:
            What the folder says of its run, with the places that this process reads and computes at.

        Raises:
            RunError: As `check`; also if the photographs are others, with the difference shown.
        """
        self.check(record)
        if self.config.exists() and self._kept():
            before = self.record()
            if difference := other_photographs(before, self.trained_on(), record, trained_on, by_size):
                raise RunError(f"{self.path} cannot go on: {difference}; choose another --out, or the same photographs")
            return replace(before, **{place: getattr(record, place) for place in PLACES})
        write_record(self.path / "photographs.json", trained_on)
        write_record(self.config, record)
        return record

    def _kept(self) -> bool:
        return self.begun or any((self.path / "weights").glob("*"))

    def trained_on(self) -> TrainedOn:
        """Returns what is known of the images trained on; nothing where the run does not tell."""
        path = self.path / "photographs.json"
        return read_record(path, TrainedOn) if path.exists() else TrainedOn(images={})

    def photographs(self) -> dict[str, str]:
        """Returns name and `picture_hash` of every image trained on; none where the run does not tell."""
        return self.trained_on().images

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second process from training in the same folder; the lock goes when the process does.

        Half-written files of a process that was killed are removed.

        Raises:
            RunError: If another process holds it.
            UserError: If a symbolic link stands where something is to be written.
        """
        if not self.writes:
            yield
            return
        for written in (self.log, self.state, *(self.path / name for name in _FOLDERS)):
            refuse_link(written)
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path / ".lock", busy=f"another process is training in {self.path}"):
            remove_unfinished(self.path)
            remove_unfinished(self.path / "weights")
            yield

    @contextlib.contextmanager
    def removed_if_it_fails(self) -> Iterator[None]:
        """Removes a folder that was made for a training which failed before it kept, logged or showed anything."""
        new = self.writes and not self.path.exists()
        try:
            yield
        except Exception:
            made = {self.config, self.log, self.path / "photographs.json", self.path / ".lock"}
            if new and self.path.is_dir() and made.issuperset(self.path.iterdir()) and not read_log(self.log):
                for file in made:
                    file.unlink(missing_ok=True)
                self.path.rmdir()
            raise

    def append_log(self, line: LogLine) -> None:
        """Adds one line to ``log.jsonl``."""
        if not self.writes:
            return
        with self.log.open("ab") as file:
            file.write(log_text(line))

    def cut_log(self, step: int) -> None:
        """Drops log lines after `step`: training takes those steps again."""
        if not self.writes:
            return
        lines = [line for line in read_log(self.log) if line.step <= step]
        text = b"".join(map(log_text, lines))
        write_bytes(self.log, text)

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

    def load(self, network: nn.Module) -> tuple[int, Path]:
        """Puts the newest weights into a network, and returns their step and file.

        Raises:
            RunError: If there are none, or they are damaged; those before them are offered.
        """
        step, newest = self.latest_weights()
        try:
            load_weights(newest, network)
        except RunError as error:
            *_, before = [None, *sorted((self.path / "weights").glob("[0-9]*.safetensors"))][:-1]
            if before is None:
                raise
            raise RunError(
                f"{error}; remove it ({_removal(newest)}), and the weights before it, of step {int(before.stem)}, are "
                "taken"
            ) from None
        return step, newest

    def save(
        self,
        state: State,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        weights: nn.Module | None = None,
        **others: Stateful,
    ) -> None:
        """Writes the weights, then the state; each is whole or the one before it stays, and the state before is kept.

        Args:
            state: Where the training stands.
            network: What is trained.
            optimiser: What trains it.
            weights: What to write as the run's weights instead of the network's own.
            **others: Modules and optimisers that change in training too, by a name of their own.
        """
        if not self.writes:
            return
        header = {"format": "pt", "step": str(state.step)}
        if self.config.exists():  # so that the file alone is enough to restore with, and tells what it is for
            record = self.record()
            header |= {key: str(getattr(record, key)) for key in ("network", "task", "degradation", "crop")}
        write_tensors(self.weights_file(state.step), tensors_of((weights or network).state_dict()), header)
        tensors, words = packed(state, {"network": network, "optimiser": optimiser, **others})
        write_tensors(self.state, tensors, words, finished=self._keep_previous)

    def resume(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, last: int | None = None, **others: Stateful
    ) -> State:
        """Puts all parts and the random streams where `save` found them; a fresh run starts at step 0.

        Args:
            network: What is trained.
            optimiser: What trains it.
            last: The last step of the training.
            **others: As in `save`.

        Raises:
            RunError: If the state is damaged or belongs to another network; the one before it is offered.
        """
        file = self.state if self.state.exists() else self.previous
        if not file.exists():
            self.cut_log(0)
            return State(0, 0.0)
        try:
            tensors, words, _ = read_tensors(file)
            state = unpack(tensors, words, {"network": network, "optimiser": optimiser, **others}, last)
        except (RunError, ValueError) as error:
            said = str(error) if isinstance(error, RunError) else f"{file} cannot be resumed from: {error}"
            raise RunError(f"{said}; {self._instead_of(file)}") from None
        self.cut_log(state.step)
        return state

    def _keep_previous(self) -> None:
        """Gives the state a second name, before a newer one takes the first: at any moment one of the two is there."""
        if not self.state.exists():
            return
        link = self.path / f".{self.previous.name}.replaced.safetensors"  # as unfinished files are called
        link.unlink(missing_ok=True)
        try:
            link.hardlink_to(self.state)
        except OSError:  # a file system without such names
            shutil.copyfile(self.state, link)
        link.replace(self.previous)

    def _instead_of(self, file: Path) -> str:
        """Returns what to do about a state that is damaged."""
        anew = f"remove it ({_removal(file)}) to start again from step 0"
        if file == self.previous or not self.previous.exists():
            return anew
        try:
            step = int(read_tensors(self.previous).header["step"])
        except (RunError, KeyError, ValueError):
            return f"{anew}; the one before it, {self.previous}, is damaged too, and must go as well"
        return (
            f"the one before it, after step {step}, is whole: remove the damaged one ({_removal(file)}), and the same "
            "command goes on from there"
        )


def load_weights(path: Path, network: nn.Module) -> None:
    """Loads a network's weights from a safetensors file.

    Raises:
        RunError: If the file is missing, is no safetensors file, is damaged, or belongs to another network.
    """
    tensors = read_tensors(path).tensors
    tensors.pop(NETWORK_KEY, None)  # for programs that read no header
    try:
        load_module(network, tensors)
    except ValueError as error:
        raise RunError(f"{path} cannot be used: {error}") from None
    except RuntimeError as error:
        first = str(error).strip().splitlines()
        names = first[min(1, len(first) - 1)].strip().split(", ")
        raise RunError(f"{path} belongs to another network: {first_few(names)}") from None


def no_run(path: Path) -> str:
    """Returns why the path is no run folder, and which are near."""
    near = sorted(str(each.parent) for each in (path if path.is_dir() else path.parent).glob("*/config.json"))
    named = f"{' '.join(near[:3])}{' …' if len(near) > 3 else ''}"
    if not path.exists():
        close = difflib.get_close_matches(str(path), near, n=1)
        guess = f"; did you mean {close[0]}?" if close else f"; there are {named}" if near else ""
        return f"{path} is not a run folder: it does not exist{guess}"
    return f"{path} is not a run folder: it has no config.json{f'; the runs in it are {named}' if near else ''}"


def _removal(file: Path) -> str:
    return f"rm {shlex.quote(str(file))}"
