"""From TensorFlow's variables to our weights; that they compute the same is tested with each network."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pdloss.errors import AssetError
from pdloss.networks import SRN
from pdloss.networks.tensorflow import converted, read_variables
from tests.oracles import tensor_bundle
from tests.oracles import tensorflow1 as oracle


def srn() -> dict[str, np.ndarray]:
    return oracle.random_variables(oracle.srn_shapes(2))


@pytest.mark.parametrize(
    "shapes",
    [oracle.srn_shapes(), oracle.srn_shapes(channels=1, lstm=True), oracle.dsdeblur_shapes()],
    ids=["color", "lstm", "dsdeblur"],
)
def test_every_published_variable_has_its_place(shapes: dict[str, tuple[int, ...]]) -> None:
    variables = {}
    for number, (scope, shape) in enumerate(shapes.items()):
        transposed = scope.startswith("dec") and shape[:2] == (4, 4)
        variables[f"g_net/{scope}/weights"] = np.broadcast_to(np.float32(number), shape)
        variables[f"g_net/{scope}/biases"] = np.broadcast_to(np.float32(-number), shape[2 if transposed else 3])
    name = "dsdeblur" if "enc1_1_0" in shapes else "srn"
    _, weights, unused = converted(name, variables)
    assert unused == ()
    assert sum(t.numel() for t in weights.values()) == sum(v.size for v in variables.values())
    numbers = {key: tensor.flatten()[0].item() for key, tensor in weights.items()}
    assert sorted(abs(n) for n in numbers.values()) == sorted([*range(len(shapes))] * 2)
    for key, number in numbers.items():
        if key.endswith(".weight"):
            assert numbers[key.removesuffix("weight") + "bias"] == -number


def test_what_training_left_is_passed_over() -> None:
    variables = srn()
    slots = {f"{name}/{slot}": value for name, value in variables.items() for slot in ("Adam", "Adam_1")}
    others = {
        "beta1_power": np.float32(0.9),
        "beta2_power": np.float32(0.9),
        "Variable": np.int32(5),
        "Variable_1": np.int32(5),
    }
    plain = converted("srn", variables)
    full = converted("srn", variables | slots | others | {"global_step": np.int64(5)})
    assert full.unused == ()
    assert full.weights.keys() == plain.weights.keys()
    assert all(torch.equal(full.weights[key], plain.weights[key]) for key in plain.weights)


def test_missing_variables_are_named() -> None:
    variables = srn()
    del variables["g_net/enc2_3/conv1/biases"], variables["g_net/dec1_0/weights"]
    with pytest.raises(AssetError, match=r"needs variables.*: g_net/dec1_0/weights, g_net/enc2_3/conv1/biases$"):
        converted("srn", variables)
    few = {name: value for name, value in variables.items() if "enc" in name}
    with pytest.raises(AssetError, match=r"and \d\d more$"):
        converted("srn", few)


def test_variables_without_a_place_are_named() -> None:
    variables = srn() | {"g_net/attention/weights": np.zeros(3, np.float32)}
    with pytest.raises(AssetError, match=r"srn\(width=2, resize='tf1'\) has no place for g_net/attention/weights"):
        converted("srn", variables)
    assert converted("srn", srn() | {"d_net/conv/weights": np.zeros(3)}).unused == ("d_net/conv/weights",)


def test_a_variable_of_another_shape_is_named() -> None:
    variables = srn()
    variables["g_net/enc2_1/weights"] = np.zeros((3, 3, 2, 4), np.float32)
    with pytest.raises(AssetError, match=r"g_net/enc2_1/weights is \(3, 3, 2, 4\), which does not fit srn"):
        converted("srn", variables)


def test_the_other_networks_checkpoint_is_refused() -> None:
    with pytest.raises(AssetError, match=r"no checkpoint of dsdeblur, whose g_net/enc1_1_0/weights .* has g_net"):
        converted("dsdeblur", srn())
    with pytest.raises(AssetError, match="this one has nothing"):
        converted("srn", {})
    with pytest.raises(AssetError, match=r"this one has \(5, 5, 4, 2\) there"):
        converted("srn", oracle.random_variables(oracle.srn_shapes(2, channels=2)))


@pytest.mark.parametrize("ending", ["", ".index", ".meta", ".data-00000-of-00001"])
def test_a_checkpoint_may_be_named_by_any_of_its_files(tmp_path: Path, ending: str) -> None:
    variables = srn()
    tensor_bundle.write(tmp_path / "deblur.model-523000", variables)
    read = read_variables(tmp_path / f"deblur.model-523000{ending}")
    assert converted("srn", read).network == SRN(width=2, resize="tf1")
    np.testing.assert_array_equal(read["g_net/dec1_0/weights"], variables["g_net/dec1_0/weights"])


def test_arrays_in_a_file_are_the_same_variables(tmp_path: Path) -> None:
    variables = srn()
    np.savez(tmp_path / "srn.npz", **variables)
    read = read_variables(tmp_path / "srn.npz")
    assert read.keys() == variables.keys()
    assert all(np.array_equal(read[name], variables[name]) for name in variables)


def test_arrays_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "srn.npz"
    with pytest.raises(AssetError, match="srn.npz does not exist"):
        read_variables(file)
    np.savez(file, **srn())
    whole = file.read_bytes()
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, x=np.array([{}], dtype=object))
    single = tmp_path / "single.npy"
    np.save(single, np.zeros(3))
    for content in (whole[: len(whole) // 2], b"", b"text", pickled.read_bytes(), single.read_bytes()):
        file.write_bytes(content)
        with pytest.raises(AssetError, match="srn.npz is not an .npz file of arrays, or damaged"):
            read_variables(file)
