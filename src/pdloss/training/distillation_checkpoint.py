"""What a stopped distillation goes on from: one file in a folder beside the one that it is going to write."""

import json
from collections.abc import Mapping
from pathlib import Path

from pdloss.errors import RunError
from pdloss.files.tensors import read_tensors, write_tensors
from pdloss.runs.states import State, Stateful, packed, unpack

_NAME = "state.safetensors"


class DistillationCheckpoint:
    """Keeps the parts of a distillation, and takes them up again, bit for bit.

    Args:
        out: The file that the distillation is going to write.
        choices: All that the result depends on, in words.
        parts: The student and its optimiser.
    """

    def __init__(self, out: Path, choices: Mapping[str, str], parts: Mapping[str, Stateful]) -> None:
        self._file, self._choices, self._parts = folder_of(out) / _NAME, dict(choices), dict(parts)

    def keep(self, step: int, scales: Mapping[str, float]) -> None:
        """Writes all, whole or not at all, in the place of what was kept before."""
        tensors, header = packed(State(step, 0.0), self._parts)
        self._file.parent.mkdir(exist_ok=True)
        said = {"choices": json.dumps(self._choices), "scales": json.dumps(dict(scales))}
        write_tensors(self._file, tensors, header | said)

    def take_up(self, steps: int) -> tuple[int, dict[str, float]]:
        """Puts the parts back to where they were kept; returns the steps done and the maps' sizes, or 0 and none.

        Raises:
            RunError: If what was kept is damaged, or of another distillation, with the difference.
        """
        if not self._file.exists():
            return 0, {}
        kept = read_tensors(self._file)
        cure = f"give the same options again, choose another --out, or remove {self._file.parent}"
        try:
            before = json.loads(kept.header["choices"])
            names = sorted(n for n in {*before, *self._choices} if before.get(n) != self._choices.get(n))
            if names:
                other = "; ".join(f"{n} was {before.get(n)}, is {self._choices.get(n)}" for n in names)
                raise RunError(f"{self._file.parent} holds the beginning of another distillation ({other}); {cure}")
            scales = {str(layer): float(size) for layer, size in json.loads(kept.header["scales"]).items()}
            return unpack(kept.tensors, kept.header, self._parts, steps).step, scales
        except (ValueError, KeyError, AttributeError) as error:
            raise RunError(f"{self._file} cannot be gone on from: {error}; {cure}") from None


def folder_of(out: Path) -> Path:
    """Returns the folder that stands beside the file until it is written."""
    return out.with_name(out.name + ".unfinished")


def remove(out: Path) -> None:
    """Removes what was kept, once the file itself is written; other files in the folder stay."""
    (folder_of(out) / _NAME).unlink(missing_ok=True)
    if folder_of(out).is_dir() and not any(folder_of(out).iterdir()):
        folder_of(out).rmdir()
