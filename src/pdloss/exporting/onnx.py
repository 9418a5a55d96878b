"""A network in ONNX, for onnxruntime, TensorRT, DirectML, ncnn and programs built on them."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pdloss.errors import MissingExtraError
from pdloss.exporting.graphs import program
from pdloss.exporting.parity import worst_difference
from pdloss.exporting.subject import Subject
from pdloss.files import write_bytes

OPSET = 20
"""Version of ONNX's operations: the first after 18 whose antialiased Resize all of `pdloss`'s networks go through."""


def write_onnx(subject: Subject, path: Path, half: bool = False) -> float:
    """Writes an ONNX file with batch, height and width left open, and returns the worst difference from the original.

    Any size goes in. What is in `Subject.said` stands in the model's metadata.

    Args:
        subject: What to write.
        path: Where to.
        half: Keep weights and compute in float16; input and output stay float32.

    Raises:
        MissingExtraError: If onnx, onnxruntime or onnxscript is not installed.
        RunError: If it cannot be exported, or gives something else.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  torch's exporter needs it, and would not name our extra
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError as error:
        raise MissingExtraError(str(error.name or "onnx").partition(".")[0], "onnx") from None
    model = _converted(subject)
    if half:  # resizing and whole-number arithmetic stay as they are
        model = convert_float_to_float16(model, keep_io_types=True, op_block_list=["Resize", "Range", "Cast"])
    precision = "float16" if half else "float32"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"degraded": images.numpy()})[0])

    worst = worst_difference(subject, run, precision)
    said = subject.said | {"opset": f"{OPSET}", "precision": precision, "worst_difference": f"{worst:.2g}"}
    for name, value in said.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    write_bytes(path, model.SerializeToString())
    return worst


def _converted(subject: Subject) -> Any:
    """Returns the model as a protocol buffer."""
    with _quietly():
        made = torch.onnx.export(
            program(subject), dynamo=True, opset_version=OPSET, verbose=False,
            input_names=["degraded"], output_names=["restored"],
        )  # fmt: skip
        return made.model_proto  # type: ignore[union-attr]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keeps to itself what torch's exporter says of its own progress and of packages that nobody asked for."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
