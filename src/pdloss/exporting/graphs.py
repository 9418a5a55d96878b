"""A network as `torch.export` writes it: a graph of torch's own operations, which needs no code of ours."""

import inspect
import json
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim, ExportedProgram

from pdloss.errors import RunError
from pdloss.exporting.parity import worst_difference
from pdloss.exporting.subject import Subject
from pdloss.files import write_atomically

_MOST = 1 << 15
"""The longest side that is promised."""


def least_side(subject: Subject) -> int:
    """Returns the shortest side that an exported graph takes: one with two positions in the network's smallest maps.

    torch.export takes a length of one for a constant; smaller images are to be made as large by repeating their border.
    """
    return subject.multiple + 1


def program(subject: Subject) -> ExportedProgram:
    """Returns the network's graph, with batch, height and width left open.

    Raises:
        RunError: If it cannot be traced with its sizes left open.
    """
    least = least_side(subject)
    batch = Dim("batch", min=1, max=1024)
    height, width = (Dim(name, min=least, max=_MOST) for name in ("height", "width"))
    images = torch.zeros(2, 3, 2 * least + 33, 2 * least + 17)  # odd, or it would hold for whole multiples alone
    shapes = ({0: batch, 2: height, 3: width},)
    try:
        return torch.export.export(subject.network, (images,), dynamic_shapes=shapes, **_deferred())
    except (RuntimeError, torch._dynamo.exc.UserError) as error:
        cause = str(error).strip().splitlines()[0]
        raise RunError(f"{subject.text} cannot be exported with its sizes left open: {cause}") from None


def _deferred() -> dict[str, Any]:
    """Returns the option, of newer versions of torch, that leaves to the graph what cannot be proved of all sizes.

    What remains are truths that its solver does not see, such as that no multiple of 32 divides 1; and where a network
    does decide by its input's size, the comparison at other sizes says so.
    """
    name = "prefer_deferred_runtime_asserts_over_guards"
    return {name: True} if name in inspect.signature(torch.export.export).parameters else {}


def write_program(subject: Subject, path: Path) -> float:
    """Writes a ``.pt2`` file, and returns the worst difference from the original.

    Its metadata is the file ``metadata.json`` inside; ``torch.export.load(path, extra_files={"metadata.json": ""})``
    gives both.

    Raises:
        RunError: If it cannot be exported, or gives something else.
    """
    least = least_side(subject)
    graph = program(subject)
    worst = worst_difference(subject, graph.module(), least=least)
    said = subject.said | {"least_side": f"{least}", "worst_difference": f"{worst:.2g}"}
    extra = {"metadata.json": json.dumps(said, indent=1)}
    write_atomically(path, lambda temporary: torch.export.save(graph, temporary, extra_files=extra))
    return worst
