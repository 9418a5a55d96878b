"""TensorFlow's checkpoint files: one that TensorFlow wrote, others written here, and damaged ones."""

from pathlib import Path

import numpy as np
import pytest

from pdloss.errors import AssetError
from pdloss.networks.bundle import read_bundle
from tests.oracles import tensor_bundle, tensorflow1

WRITTEN_BY_TENSORFLOW = Path(__file__).parents[1] / "data" / "tensorflow" / "tiny"
"""Saved by TensorFlow 2.21 with ``tf.compat.v1.train.Saver``; the values are those below, and a string."""


def same(read: dict[str, np.ndarray], written: dict[str, np.ndarray]) -> None:
    assert read.keys() == written.keys()
    for name, value in written.items():
        assert read[name].dtype == value.dtype
        np.testing.assert_array_equal(read[name], value)


def test_reads_what_tensorflow_wrote() -> None:
    expected = {
        "g_net/enc1_1/weights": np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1),
        "g_net/enc1_1/biases": np.array([0.5], np.float32),
        "global_step": np.array(7, np.int32),
        "beta1_power": np.array([1.5, -2.0]),
        "half": np.array([0.25], np.float16),
    }
    same(read_bundle(WRITTEN_BY_TENSORFLOW), expected)


@pytest.mark.parametrize(("shards", "per_block"), [(1, 1000), (1, 7), (3, 20)])
def test_reads_many_variables_in_blocks_and_shards(tmp_path: Path, shards: int, per_block: int) -> None:
    variables = tensorflow1.random_variables(tensorflow1.dsdeblur_shapes(2))
    variables |= {"global_step": np.array(2**40, np.int64), "none": np.zeros((0, 3), np.float32)}
    tensor_bundle.write(tmp_path / "deblur_model", variables, shards, per_block=per_block)
    same(read_bundle(tmp_path / "deblur_model"), variables)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    values = np.arange(1000, dtype=np.float32)
    tensor_bundle.write(tmp_path / "model-5", {"a": values, "b": values + 1})
    return tmp_path / "model-5"


def test_a_checkpoint_that_is_not_there_is_named(tmp_path: Path, written: Path) -> None:
    with pytest.raises(AssetError, match=r"model-6.index does not exist: name the checkpoint as TensorFlow does"):
        read_bundle(tmp_path / "model-6")
    data = tmp_path / "model-5.data-00000-of-00001"
    data.unlink()
    with pytest.raises(AssetError, match=rf"{data.name} does not exist: a checkpoint's files belong together"):
        read_bundle(written)


def test_data_that_are_cut_off_are_refused(written: Path) -> None:
    data = Path(f"{written}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-10])
    with pytest.raises(AssetError, match="cut off: b has 3990 bytes instead of 4000; fetch it anew"):
        read_bundle(written)


def test_an_index_damaged_anywhere_never_ends_in_another_error(written: Path) -> None:
    index = Path(f"{written}.index")
    whole, refused = index.read_bytes(), 0
    for place in range(len(whole)):
        index.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_bundle(written)
        except AssetError:
            refused += 1
    assert refused > len(whole) / 4  # checksums and filling do not matter
    for length in range(len(whole)):
        index.write_bytes(whole[:length])
        with pytest.raises(AssetError, match="not the index of a TensorFlow checkpoint, or damaged"):
            read_bundle(written)


@pytest.mark.parametrize(
    ("header", "extra", "compression", "said"),
    [
        (tensor_bundle.number(1, 1) + tensor_bundle.number(2, 1), b"", 0, "written on a big-endian machine"),
        (tensor_bundle.number(1, 1), tensor_bundle.nested(7, b""), 0, "holds a in slices"),
        (tensor_bundle.number(1, 1), b"", 1, "compressed; convert the checkpoint to an .npz file with TensorFlow"),
    ],
)
def test_kinds_that_only_tensorflow_reads_are_refused(
    tmp_path: Path, header: bytes, extra: bytes, compression: int, said: str
) -> None:
    pairs = [(b"", header), (b"a", tensor_bundle.entry(1, (1,), 0, 0, 4) + extra)]
    (tmp_path / "model.index").write_bytes(tensor_bundle.table(pairs, compression=compression))
    (tmp_path / "model.data-00000-of-00001").write_bytes(bytes(4))
    with pytest.raises(AssetError, match=said):
        read_bundle(tmp_path / "model")
