"""``pdloss convert`` as typed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from pdloss.commands.convert import main
from pdloss.errors import AssetError
from pdloss.networks import network
from pdloss.runs import load_weights
from tests.oracles import tensor_bundle
from tests.oracles import tensorflow1 as oracle


@pytest.mark.parametrize("route", ["npz", "bundle"])
@pytest.mark.parametrize(
    ("name", "text", "shapes", "graph"),
    [
        ("srn", "srn(width=2, resize='tf1')", oracle.srn_shapes(2), oracle.srn),
        ("dsdeblur", "dsdeblur(width=2, planes=False, resize='tf1')", oracle.dsdeblur_shapes(2, 3), oracle.dsdeblur),
    ],
)
def test_the_file_restores_as_tensorflow_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], route: str, name: str, text: str, shapes: dict, graph: object
) -> None:
    variables = oracle.random_variables(shapes, seed=4)
    stored = variables | {f"{key}/Adam": value for key, value in variables.items()} | {"extra": np.float32(1)}
    checkpoint, out = tmp_path / "model-5", tmp_path / "made" / "weights.safetensors"
    if route == "npz":
        checkpoint = checkpoint.with_suffix(".npz")
        np.savez(checkpoint, **stored)
    else:
        tensor_bundle.write(checkpoint, {key: np.asarray(value) for key, value in stored.items()})
    assert main([name, str(checkpoint), "--out", str(out)]) == 0
    count = sum(value.size for value in variables.values())
    assert capsys.readouterr().out.splitlines() == [f"{text}: {count:,} parameters", "not used: extra", str(out)]
    with safe_open(out, "pt") as file:
        net = network(file.metadata()["network"])
        assert file.metadata()["source"] == checkpoint.name
    load_weights(out, net)
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = graph(image.permute(0, 2, 3, 1).double().numpy(), variables)[-1]
    with torch.no_grad():
        restored = net(image).permute(0, 2, 3, 1)
    torch.testing.assert_close(restored, torch.from_numpy(expected).float(), rtol=1e-5, atol=1e-5)


def test_nothing_is_written_of_a_checkpoint_that_does_not_fit(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(AssetError, match="no checkpoint of srn.* this one has x"):
        main(["srn", str(tmp_path / "other.npz"), "--out", str(tmp_path / "out.safetensors")])
    assert not (tmp_path / "out.safetensors").exists()


def test_the_help_says_how_tensorflow_makes_the_arrays(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "tensorflow.train.load_checkpoint" in said
    assert "numpy.savez" in said


def test_wrong_usage_ends_with_status_two() -> None:
    for arguments in ([], ["edsr", "x", "--out", "y"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
