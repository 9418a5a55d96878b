"""Tensors out of ONNX files, written here byte by byte from the format's definition."""

import struct

import numpy as np
import pytest

from pdloss.assets.onnx_tensors import read_onnx_tensors


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, array, packed=False, raw=True, kind=1):
    dims = field(1, b"".join(map(varint, array.shape))) if packed else b"".join(field(1, n) for n in array.shape)
    return dims + field(2, kind) + field(8, name.encode()) + field(9 if raw else 4, array.tobytes())


def model(*tensors):
    node = field(1, field(4, b"Conv") + field(1, b"x"))
    graph = node + b"".join(field(5, t) for t in tensors) + field(2, b"graph")
    return field(1, 8) + field(2, b"maker") + varint(14 << 3 | 5) + struct.pack("<f", 1.5) + field(7, graph)


@pytest.fixture
def kernel():
    return np.random.default_rng(0).standard_normal((130, 3, 2), dtype=np.float32)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("raw", [False, True])
def test_reads_names_shapes_and_values(tmp_path, kernel, packed, raw):
    bias = np.arange(4, dtype=np.float32)
    path = tmp_path / "net.onnx"
    path.write_bytes(model(tensor("kernel:0", kernel, packed, raw), tensor("bias", bias, packed, raw)))
    read = read_onnx_tensors(path)
    assert list(read) == ["kernel:0", "bias"]
    np.testing.assert_array_equal(read["kernel:0"], kernel)
    np.testing.assert_array_equal(read["bias"], bias)


def test_leaves_out_what_is_no_float32(tmp_path, kernel):
    path = tmp_path / "net.onnx"
    path.write_bytes(model(tensor("sizes", np.arange(3), kind=7), tensor("kernel", kernel)))
    assert list(read_onnx_tensors(path)) == ["kernel"]


def test_refuses_a_cut_file_at_every_length_without_a_traceback_of_another_kind(tmp_path):
    whole = model(tensor("k", np.ones((2, 2), np.float32)))
    path = tmp_path / "net.onnx"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError):
            read_onnx_tensors(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no model", b"\xff" * 30, field(7, b"")])
def test_refuses_what_is_no_model(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError):
        read_onnx_tensors(tmp_path / "x")


def test_refuses_a_shape_that_its_bytes_do_not_fill(tmp_path, kernel):
    path = tmp_path / "net.onnx"
    path.write_bytes(model(tensor("k", kernel)[:-4] + b""))
    short = field(1, 7) + field(2, 1) + field(8, b"k") + field(9, kernel.tobytes()[:24])
    path.write_bytes(model(short))
    with pytest.raises(ValueError, match=r"'k' of shape \(7,\) has 24 bytes"):
        read_onnx_tensors(path)
