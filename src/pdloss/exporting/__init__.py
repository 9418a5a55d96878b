"""Trained networks as files that other programs open: ONNX, torch.export, safetensors; each compared with the original.

`subject` is what is exported, with what must be said of it; `parity` compares; a file for each kind of file follows.
"""

from pdloss.exporting.graphs import write_program
from pdloss.exporting.onnx import write_onnx
from pdloss.exporting.subject import Subject, subject
from pdloss.exporting.weights import write_weights

__all__ = ["Subject", "subject", "write_onnx", "write_program", "write_weights"]
