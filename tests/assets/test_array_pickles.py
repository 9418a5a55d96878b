"""Pickles of NumPy arrays: those that NumPy writes, and those that want to run something."""

import os
import pickle
import pickletools

import numpy as np
import pytest

from pdloss.assets.array_pickles import read_pickled_arrays


class Calls:
    """Runs a command when unpickled."""

    def __init__(self, function, *arguments):
        self.told = function, arguments

    def __reduce__(self):
        return self.told


def write(path, value, protocol=3):
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_reads_nested_arrays_by_the_path_to_them(tmp_path, protocol, kind):
    random = np.random.default_rng(0)
    kernel, bias = random.standard_normal((3, 2, 4)).astype(kind), np.asfortranarray(random.random((2, 3))).astype(kind)
    path = write(tmp_path / "w", {"net": {"conv": {"kernel": kernel, "bias": bias}}}, protocol)
    read = read_pickled_arrays(path)
    assert list(read) == ["net/conv/kernel", "net/conv/bias"]
    np.testing.assert_array_equal(read["net/conv/kernel"], kernel)
    np.testing.assert_array_equal(read["net/conv/bias"], bias)
    assert read["net/conv/bias"].dtype == np.dtype(kind)


def test_runs_nothing(tmp_path):
    mark = tmp_path / "ran"
    for told in [(os.system, f"touch {mark}"), (exec, f"open({str(mark)!r}, 'w')"), (np.load, str(mark))]:
        path = write(tmp_path / "w", {"a": Calls(*told)})
        with pytest.raises(ValueError, match=f"asks for .*{told[0].__name__}, and no code"):
            read_pickled_arrays(path)
    assert not mark.exists()


def test_takes_a_name_of_numpys_from_numpy_only(tmp_path):
    content = pickle.dumps({"a": np.ones(2, np.float32)}, protocol=3)
    assert b"numpy\nndarray" in content
    (tmp_path / "w").write_bytes(content.replace(b"numpy\nndarray", b"numpty\nndarray"))
    with pytest.raises(ValueError, match="asks for numpty.ndarray"):
        read_pickled_arrays(tmp_path / "w")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": [1, 2]}, "holds a list at a"),
        (3, "holds a int at its top"),
        ({1: np.ones(1, np.float32)}, "key that is no text: 1"),
        ({"a": np.array([None])}, "no little-endian floating-point"),
        ({"a": np.ones(2, ">f4")}, "no little-endian floating-point"),
        ({"a": np.arange(3)}, "no little-endian floating-point"),
    ],
)
def test_refuses_what_is_no_dictionary_of_such_arrays(tmp_path, value, said):
    with pytest.raises(ValueError, match=said):
        read_pickled_arrays(write(tmp_path / "w", value))


def test_refuses_a_cut_file_at_every_length(tmp_path):
    whole = pickletools.optimize(pickle.dumps({"a": np.ones((2, 3), np.float32)}, protocol=3))
    for length in range(len(whole)):
        (tmp_path / "w").write_bytes(whole[:length])
        with pytest.raises(ValueError):
            read_pickled_arrays(tmp_path / "w")
