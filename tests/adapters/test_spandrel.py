"""Networks of ours in spandrel: the real package, with a stub of what it takes from torchvision."""

import sys
import types
from pathlib import Path

import pytest
import torch

from pdloss import networks
from pdloss.exporting import Subject, write_weights
from pdloss.files.tensors import write_tensors
from pdloss.runs.states import tensors_of


@pytest.fixture(scope="module", autouse=True)
def spandrel():
    with pytest.MonkeyPatch.context() as patch:
        if "torchvision" not in sys.modules:
            names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
            for name in names:
                patch.setitem(sys.modules, name, types.ModuleType(name))
            functional = sys.modules[names[-1]]
            functional.InterpolationMode, functional.rotate, functional.normalize = object, None, None
        yield pytest.importorskip("spandrel")


OURS = [
    "edsr(blocks=2, width=8, residual_scale=0.1)",
    "edsr(blocks=1, width=8, scale=4)",
    "edsr(blocks=1, width=8, unshuffle=2)",
    "srn(width=4, resize='tf1')",
    "srn(width=4, lstm=True, planes=True)",
    "dsdeblur(width=4)",
    "srresnet(blocks=1, width=8)",
    "srresnet(blocks=2, width=8, scale=2, batch_norm=False)",
]
TOLD_BY_WEIGHTS = [text for text in OURS if "residual_scale" not in text and "tf1" not in text]
NAFNET = "nafnet(width=4, encoder=(1, 1), decoder=(1, 1))"


def built(text):
    torch.manual_seed(0)
    return networks.network(text).eval()


def opened(spandrel, path, network):
    """What spandrel makes of the file, which must restore as the network does."""
    model = spandrel.ModelLoader().load_from_file(path)
    size = (
        (24, 16) if isinstance(network, networks.NAFNetwork) else (21, 18)
    )  # which pads odd sizes in its own way there
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model(image), network(image).clamp(0, 1), rtol=0, atol=1e-5)
    return model


def install():
    from pdloss.adapters import spandrel as adapter

    return adapter.install()


@pytest.mark.parametrize("text", [*OURS, NAFNET])
def test_an_exported_file_is_recognised_and_restores_alike(spandrel, text, tmp_path: Path):
    install()
    network = built(text)
    full = networks.NETWORKS.parse(text).in_full()
    write_weights(Subject(network, full, {"network": full}), tmp_path / "n.safetensors")
    model = opened(spandrel, tmp_path / "n.safetensors", network)
    scale = 4 if "scale=4" in text or text.startswith("srresnet(blocks=1") else 2 if "scale=2" in text else 1
    assert (model.scale, model.purpose) == (scale, "SR" if scale > 1 else "Restoration")
    assert model.architecture.id == ("NAFNet" if text == NAFNET else f"pdloss-{text.partition('(')[0]}")


@pytest.mark.parametrize("text", TOLD_BY_WEIGHTS)
def test_weights_alone_are_told_by_names_and_shapes(spandrel, text, tmp_path: Path):
    install()
    network = built(text)
    write_tensors(tmp_path / "n.safetensors", tensors_of(network.state_dict()))
    opened(spandrel, tmp_path / "n.safetensors", network)


def test_nothing_else_is_taken_for_ours(spandrel):
    install()
    other = {"head.weight": torch.zeros(8, 3, 3, 3), "tail.0.weight": torch.zeros(3, 8, 3, 3), "extra": torch.zeros(1)}
    with pytest.raises(spandrel.UnsupportedModelError):
        spandrel.ModelLoader().load_from_state_dict(other)


def test_installing_twice_does_no_harm(spandrel):
    assert install() == install()
    ids = [support.architecture.id for support in spandrel.MAIN_REGISTRY]
    assert len(ids) == len(set(ids))
