"""Exported networks give what the originals give: every kind of network, in every kind of file."""

import json
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pdloss import networks
from pdloss.errors import RunError
from pdloss.exporting.graphs import least_side, program, write_program
from pdloss.exporting.onnx import OPSET, write_onnx
from pdloss.exporting.parity import worst_difference
from pdloss.exporting.subject import Subject
from pdloss.exporting.weights import write_weights
from pdloss.networks import NETWORKS

SMALL = [
    "edsr(blocks=1, width=8)",
    "edsr(blocks=1, width=8, scale=3)",
    "edsr(blocks=1, width=8, unshuffle=2)",
    "srresnet(blocks=1, width=8)",
    "nafnet(width=4, encoder=(1, 1), decoder=(1, 1))",
    "srn(width=4, resize='tf1')",
    "dsdeblur(width=4)",
]


@pytest.fixture(autouse=True)
def _unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What checks shapes in the tests takes the symbols of a traced size for no whole numbers."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def of(text: str) -> Subject:
    """A network whose weights are no longer as drawn: what begins at zero has moved, statistics are not 0 and 1."""
    torch.manual_seed(0)
    network = networks.network(text)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        network(torch.rand(2, 3, 20, 20))
    return Subject(network.eval(), text, {"network": text, "task": "denoise", "scale": "1"})


def test_every_network_is_among_those_exported() -> None:
    assert {text.partition("(")[0] for text in SMALL} == set(NETWORKS.table)


@pytest.mark.slow
@pytest.mark.parametrize("text", SMALL)
def test_onnx_and_torch_export_give_the_same_at_sizes_of_every_kind(text: str, tmp_path: Path) -> None:
    onnxruntime, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    subject = of(text)
    assert write_onnx(subject, tmp_path / "n.onnx") < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx", providers=["CPUExecutionProvider"])
    images = torch.rand(3, 3, 37, 50, generator=torch.Generator().manual_seed(4))  # another size, a batch of another
    with torch.no_grad():
        expected = subject.network(images).numpy()
    off = np.abs(session.run(["restored"], {"degraded": images.numpy()})[0] - expected).max()
    assert off < 1e-4 * max(1, np.abs(expected).max())
    model = onnx.load(tmp_path / "n.onnx")
    onnx.checker.check_model(model)
    assert [each.version for each in model.opset_import if each.domain == ""] == [OPSET]
    assert {each.key: each.value for each in model.metadata_props}.items() >= subject.said.items()


@pytest.mark.parametrize(
    "text", ["edsr(blocks=1, width=8, unshuffle=2)", "nafnet(width=4, encoder=(1, 1), decoder=(1, 1))"]
)
def test_a_graph_of_torch_is_read_back_with_its_metadata(text: str, tmp_path: Path) -> None:
    subject = of(text)
    assert write_program(subject, tmp_path / "n.pt2") < 1e-6
    extra = {"metadata.json": ""}
    graph = torch.export.load(tmp_path / "n.pt2", extra_files=extra).module()
    images = torch.rand(2, 3, 41, 18, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        assert torch.equal(graph(images), subject.network(images))
    said = json.loads(extra["metadata.json"])
    assert said["least_side"] == str(least_side(subject))
    assert said.items() >= subject.said.items()


def test_a_loss_beside_the_network_is_no_part_of_its_graph() -> None:
    from pdloss import ProjectedDistributionLoss

    subject = of("edsr(blocks=1, width=8)")
    loss = ProjectedDistributionLoss("distilled.relu3_3")
    loss(subject.network(torch.rand(1, 3, 32, 32)), torch.rand(1, 3, 32, 32)).backward()
    names = {name for name, _ in program(subject).named_parameters()}
    assert names == {name for name, _ in subject.network.named_parameters()}


def test_half_precision_is_half_as_large_and_close(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    subject = of("edsr(blocks=2, width=16)")
    sizes, worst = {}, {}
    for half in (False, True):
        worst[half] = write_onnx(subject, tmp_path / f"{half}.onnx", half)
        worst[half] += write_weights(subject, tmp_path / f"{half}.safetensors", half)
        sizes[half] = sum((tmp_path / f"{half}.{kind}").stat().st_size for kind in ("onnx", "safetensors"))
    assert sizes[True] < 0.7 * sizes[False]
    assert worst[False] < 1e-5 < worst[True] < 2e-2


def test_what_differs_is_refused_with_the_size_and_not_written(tmp_path: Path) -> None:
    subject = of("edsr(blocks=1, width=8)")

    def slightly_off(images: Tensor) -> Tensor:
        restored: Tensor = subject.network(images)
        return restored + 0.01 * (images.shape[-1] == 131)

    with pytest.raises(RunError, match=r"off by 0\.01 at 97x131 pixels, more than the 0\.0001"):
        worst_difference(subject, slightly_off)
    with pytest.raises(RunError, match=r"gives \(1, 3, 32, 32\) where the original has \(1, 3, 64, 64\)"):
        worst_difference(subject, nn.AvgPool2d(2))
    assert worst_difference(subject, lambda images: slightly_off(images) if images.shape[-1] == 64 else
                            subject.network(images)) == 0  # fmt: skip


def test_a_network_that_decides_by_size_is_refused_in_a_sentence(tmp_path: Path) -> None:
    class Particular(nn.Module):
        def forward(self, degraded: Tensor) -> Tensor:
            return degraded * 2 if degraded.shape[-1] > 40 else degraded

    with pytest.raises(RunError, match=r"own cannot be exported with its sizes left open|does not take [0-9x]+ pixels"):
        write_program(Subject(Particular(), "own", {}), tmp_path / "own.pt2")
    assert list(tmp_path.iterdir()) == []
