"""A file of one's own for a pretrained network: the right one is taken, every wrong one has its own sentence."""

import dataclasses
import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from pdloss import assets
from pdloss.commands.assets import main
from pdloss.errors import AssetError
from pdloss.features import AlexNetFeatures, importing, probes
from pdloss.features.importing import import_asset
from pdloss.features.probes import PROBES, Probe

NAME = "alexnet-torchvision"


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """Random weights in AlexNet's shapes, scaled so that every layer answers."""
    stream = torch.Generator().manual_seed(3)
    shapes = importing._SHAPES[NAME]
    return {
        name: torch.randn(shape, generator=stream) * ((2 / torch.Size(shape[1:]).numel()) ** 0.5 if shape[1:] else 0.01)
        for name, shape in shapes.items()
    }


@pytest.fixture
def cache(tmp_path: Path, weights: Mapping[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a catalogue whose AlexNet is the one of these weights."""
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PDLOSS_OFFLINE", "1")
    header = {"input_convention": assets.CONVENTIONS["torchvision"]}
    save_file(dict(weights), tmp_path / "right.safetensors", header)
    probe = Probe(AlexNetFeatures, dict.fromkeys(PROBES[NAME].layers, (0.0, 1.0)), tolerance=0.02)
    probe = dataclasses.replace(probe, layers=probes.answers(probe, tmp_path / "right.safetensors"))
    monkeypatch.setitem(PROBES, NAME, probe)
    return tmp_path / "cache"


def test_a_file_with_the_right_answers_is_taken_on_the_users_word(
    cache: Path, weights: Mapping[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {**weights, "classifier.1.weight": torch.zeros(2, 2)}
    torch.save(more, tmp_path / "mine.pth")
    assert main(["import", str(tmp_path / "mine.pth"), "--as", NAME]) == 0
    said = capsys.readouterr().out
    assert "taken on your word" in said
    assert hashlib.sha256((tmp_path / "mine.pth").read_bytes()).hexdigest() in said
    file = assets.path(NAME)
    assert file == cache / "alexnet-torchvision.safetensors"
    assert {name: tensor.tolist() for name, tensor in load_file(file).items()} == {
        name: tensor.tolist() for name, tensor in weights.items()
    }
    origin = AlexNetFeatures(["relu2"]).origin
    assert "imported on the user's word" in origin[NAME]
    assert assets.metadata(file)["source"] == "mine.pth"
    main(["list"])
    assert "(imported)" in capsys.readouterr().out.replace("\n", "")


def test_weights_saved_anew_a_little_rounded_are_taken_too(
    cache: Path, weights: Mapping[str, Tensor], tmp_path: Path
) -> None:
    save_file({name: tensor.half() for name, tensor in weights.items()}, tmp_path / "half.safetensors")
    made = import_asset(tmp_path / "half.safetensors", NAME)
    assert 0 < made.largest_difference < 0.01
    assert not made.known


def test_a_file_of_the_catalogue_is_known_by_its_hash_and_nobodys_word(
    cache: Path, weights: Mapping[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(dict(weights), tmp_path / "x.pth")
    digest = hashlib.sha256((tmp_path / "x.pth").read_bytes()).hexdigest()
    known = dataclasses.replace(assets.ASSETS[NAME], sources=(assets.Source("https://x/y.pth", digest),))
    monkeypatch.setitem(assets.ASSETS, NAME, known)
    made = import_asset(tmp_path / "x.pth", NAME)
    assert made.known
    assert "word" not in assets.metadata(assets.path(NAME))["input_convention"]


def test_a_file_of_another_name_in_the_catalogue_is_called_by_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256((tmp_path / "right.safetensors").read_bytes()).hexdigest()
    monkeypatch.setitem(assets.ASSETS, "niqe", dataclasses.replace(assets.ASSETS["niqe"], sha256=digest))
    with pytest.raises(AssetError, match=f"is niqe by its hash, not {NAME}; say --as niqe"):
        import_asset(tmp_path / "right.safetensors", NAME)


def test_what_was_imported_is_not_taken_after_it_was_changed_nor_elsewhere(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = import_asset(tmp_path / "right.safetensors", NAME).path
    with pytest.raises(AssetError, match="is here already"):
        import_asset(tmp_path / "right.safetensors", NAME)
    folder = tmp_path / "passed-on"
    folder.mkdir()
    for each in (file, cache / assets.IMPORTED):
        (folder / each.name).write_bytes(each.read_bytes())
    monkeypatch.setenv("PDLOSS_ASSETS", str(folder))
    with pytest.raises(AssetError, match="is not alexnet-torchvision"):
        assets.path(NAME)
    monkeypatch.delenv("PDLOSS_ASSETS")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(AssetError, match="is not alexnet-torchvision"):
        assets.path(NAME)


def changed(weights: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    first = "features.0.weight"
    match kind:
        case "colours":
            return {**weights, first: weights[first].flip(1).contiguous()}
        case "range":
            return {**weights, first: weights[first] / 57}
        case "others":
            return {**weights, "features.6.weight": 1.5 * weights["features.6.weight"]}
        case "missing":
            return {name: tensor for name, tensor in weights.items() if not name.startswith("features.10")}
        case "shape":
            return {**weights, first: torch.zeros(64, 3, 7, 7)}
        case "squeezenet":
            return {name: torch.zeros(shape) for name, shape in importing._SHAPES["squeezenet1_1-torchvision"].items()}
        case _:
            return {"layer.weight": torch.zeros(2)}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("colours", "the right weights in another convention: its first layer wants the colours in reverse order"),
        ("range", r"in another convention: its relu1 answers the test picture 0.0\d+ times as strongly"),
        ("others", "has the shapes of alexnet-torchvision but other weights: its relu3 answers"),
        ("missing", r"lacks layers of alexnet-torchvision: features.10.weight, features.10.bias are missing"),
        (
            "shape",
            r"another network: its features.0.weight is \(64, 3, 7, 7\), and alexnet-torchvision has",
        ),
        ("squeezenet", "another network: its layers are those of squeezenet1_1-torchvision"),
        ("nothing", "another network: it has none of the tensors of alexnet-torchvision"),
    ],
)
def test_every_wrong_file_has_its_own_sentence(
    cache: Path, weights: Mapping[str, Tensor], tmp_path: Path, kind: str, said: str
) -> None:
    save_file(changed(weights, kind), tmp_path / "wrong.safetensors")
    with pytest.raises(AssetError, match=f"wrong.safetensors .*{said}"):
        import_asset(tmp_path / "wrong.safetensors", NAME)
    assert not list(cache.glob("*.safetensors"))


@pytest.mark.parametrize("form", ["safetensors", "pth"])
def test_half_a_file_is_said_to_be_half(cache: Path, weights: Mapping[str, Tensor], tmp_path: Path, form: str) -> None:
    torch.save(dict(weights), tmp_path / "right.pth")
    whole = (tmp_path / f"right.{form}").read_bytes()
    (tmp_path / f"half.{form}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssetError, match="is cut off, damaged or no file of tensors: it .*(bytes|cannot be read)"):
        import_asset(tmp_path / f"half.{form}", NAME)


def test_code_in_a_file_is_not_run(cache: Path, tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self):
            return Path.touch, (tmp_path / "made",)

    with (tmp_path / "evil.pth").open("wb") as file:
        pickle.dump({"features.0.weight": Touch()}, file)
    with pytest.raises(AssetError, match="code inside it is never run"):
        import_asset(tmp_path / "evil.pth", NAME)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("right.safetensors", "alexnet", "--as 'alexnet' is no known asset; did you mean 'alexnet-torchvision'"),
        ("right.zip", NAME, "none of the suffixes that are read"),
        ("absent.pth", NAME, "absent.pth cannot be read: No such file"),
        ("right.safetensors", "vgg16-torchvision", "only a file with one of the hashes in the catalogue"),
    ],
)
def test_a_slip_of_the_pen_is_told(cache: Path, tmp_path: Path, file: str, name: str, said: str) -> None:
    with pytest.raises(AssetError, match=said):
        import_asset(tmp_path / file, name)
