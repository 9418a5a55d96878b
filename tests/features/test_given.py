"""Backbones with weights of the user's own, named in text: the same numbers, the record, and what is refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from pdloss.cli import main
from pdloss.errors import AssetError, SpecError
from pdloss.features import FeatureNames, VGG16Features, extractor
from pdloss.losses import objective
from pdloss.specs.trust import RECEIVED, TYPED
from tests.features.test_vgg import SHAPES, weights


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Convolutions up to relu2_2 in a file without any header, in the working folder."""
    monkeypatch.chdir(tmp_path)
    save_file(weights(), "my.safetensors")
    return tmp_path / "my.safetensors"


CAFFE = "vgg16(weights='my.safetensors', convention='caffe')"
TORCHVISION = "vgg16(weights='my.safetensors', convention='torchvision')"


@pytest.mark.parametrize(("text", "convention"), [(CAFFE, "caffe"), (TORCHVISION, "torchvision")])
def test_the_maps_are_those_of_the_files_numbers_in_the_convention_said(
    file: Path, text: str, convention: str, generator: torch.Generator
) -> None:
    images = torch.rand(1, 3, 16, 16, generator=generator)
    said = {"caffe": "BGR in [0, 255]", "torchvision": "RGB in [0, 1]"}[convention]
    save_file(weights(), "says.safetensors", {"input_convention": said})
    expected = VGG16Features(["relu2_2"], Path("says.safetensors"))(images)["relu2_2"]
    assert torch.equal(extractor(f"{text}.relu2_2")(images)["relu2_2"], expected)
    assert torch.equal(extractor("vgg16(weights='says.safetensors').relu2_2")(images)["relu2_2"], expected)


def test_a_loss_on_them_shares_the_network_and_records_hash_convention_and_whose_word_it_was(
    file: Path, generator: torch.Generator
) -> None:
    text = f'pdl(features="{CAFFE}.relu2_2") + 2*perceptual(features="{CAFFE}.relu1_2", p=2)'
    summed = objective(text, TYPED)
    assert str(objective(str(summed))) == str(summed)
    built = summed.build()
    assert built.terms[0].extractor is built.terms[1].extractor
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert built.origin == {CAFFE: f"sha256 {digest}; not stated; read as caffe; on the user's word"}
    restored, target = torch.rand(2, 1, 3, 16, 16, generator=generator)
    assert built(restored, target).total > 0


def test_the_text_of_names_makes_them_again() -> None:
    for text in (f"{CAFFE}.relu1_2+relu2_2", CAFFE, "vgg19(weights='a/b(1).v2.safetensors').conv1_1"):
        names = FeatureNames.parse(text)
        assert str(names) == text
        assert FeatureNames.parse(str(names)) == names
    spaced = FeatureNames.parse("vgg16( convention = 'caffe', weights='my.safetensors' ).relu1_1")
    assert spaced == FeatureNames(CAFFE, ("relu1_1",))
    assert FeatureNames.parse("vgg16(1).safetensors.relu4_3").backbone == "vgg16(1).safetensors", "a file as ever"


def test_text_out_of_a_file_may_name_weights_but_no_code(file: Path) -> None:
    assert FeatureNames.parse(f"{CAFFE}.relu2_2", RECEIVED).build().layers == ("relu2_2",)
    assert "a.safetensors:b" in str(FeatureNames.parse("vgg16(weights='a.safetensors:b')", RECEIVED))
    for wrong in ("vgg16(weights='my.safetensors', convention='os:system')", "vgg16(weights=os.system)"):
        with pytest.raises(SpecError):
            FeatureNames.parse(wrong, RECEIVED)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vgg16(weights='my.safetensors', convention='cafe').relu2_2", "expected one of 'caffe', 'torchvision'"),
        ("vgg16(weights='my.safetensors', convention='caffe').relu9_9", "vgg16 has no layer 'relu9_9'"),
        ("vgg16(convention='caffe').relu2_2", "names no file: write vgg16"),
        ("vgg16(weight='my.safetensors').relu2_2", "no option 'weight'; did you mean 'weights'"),
        ("alexnet(weights='my.safetensors').relu2", "unknown backbone .* 'alexnet'.*Known: vgg16, vgg19"),
        ("vgg16-torchvision(weights='my.safetensors').relu2_2", "for your own write vgg16\\(weights="),
        (CAFFE, "vgg16 needs at least one layer"),
    ],
)
def test_a_slip_of_the_pen_is_answered_in_a_sentence(file: Path, text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        extractor(text)


def _changed(change: str) -> dict[str, Tensor]:
    tensors = weights()
    if change == "lacks":
        del tensors["features.7.bias"]
    elif change == "vgg19":  # whose first convolutions have the same places and shapes
        tensors["features.16.weight"] = torch.zeros(256, 256, 3, 3)
    elif change == "alexnet":
        tensors["features.0.weight"] = torch.zeros(64, 3, 11, 11)
    elif change == "infinite":
        tensors["features.2.weight"][0, 0, 0, 0] = float("inf")
    elif change == "whole":
        tensors["features.2.weight"] = tensors["features.2.weight"].to(torch.int8)
    return tensors


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("lacks", r"is not a vgg16 with torchvision's keys: it lacks 'features\.7\.bias' \(conv2_2 of vgg16\)"),
        ("vgg19", r"another network than vgg16, which has no convolution features\.16\.weight"),
        ("alexnet", r"features\.0\.weight, conv1_1 of vgg16, should be \(64, 3, 3, 3\), is \(64, 3, 11, 11\)"),
        ("infinite", r"values in features\.2\.weight that are not finite"),
        ("whole", r"values in features\.2\.weight that are not finite"),
    ],
)
def test_weights_of_another_network_are_refused(file: Path, change: str, said: str) -> None:
    save_file(_changed(change), file)
    with pytest.raises(AssetError, match=f"my.safetensors .*{said}"):
        extractor(f"{CAFFE}.relu2_2")


def test_layers_that_are_not_asked_for_may_be_missing(file: Path) -> None:
    save_file({key: value for key, value in weights().items() if int(key.split(".")[1]) < 5}, file)
    assert extractor(f"{CAFFE}.relu1_2").layers == ("relu1_2",)
    assert len(SHAPES) > 2


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_half_a_file_is_refused(file: Path, share: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(AssetError, match=r"my\.safetensors (is damaged|cannot be read as a safetensors file)"):
        extractor(f"{CAFFE}.relu2_2")


def test_a_header_that_says_another_convention_is_believed_before_the_text(file: Path) -> None:
    save_file(weights(), file, {"input_convention": "RGB in [0, 1], minus the mean"})
    with pytest.raises(AssetError, match="says in its header that it takes 'RGB .*not convention='caffe'"):
        extractor(f"{CAFFE}.relu2_2")


def test_without_a_convention_in_text_or_header_nothing_is_guessed(file: Path) -> None:
    with pytest.raises(AssetError, match=r"does not say its input_convention.*convention='caffe'\) or 'torchvision'"):
        extractor("vgg16(weights='my.safetensors').relu2_2")


def test_a_file_that_is_not_there_is_named_with_the_folder(file: Path) -> None:
    with pytest.raises(AssetError, match="there is no other.safetensors in "):
        extractor("vgg16(weights='other.safetensors', convention='caffe').relu2_2")


def test_the_verbs_that_take_features_take_them_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    features = f"{CAFFE}.relu1_2"
    small = ["--crop", "16", "--batch", "1", "--repeats", "1", "--network", "edsr(blocks=1, width=4)"]
    assert main(["bench", "losses", "--losses", f'l1 + 0.001*perceptual(features="{features}")', *small]) == 0
    assert "perceptual" in capsys.readouterr().out
    rng = np.random.default_rng(0)
    for name in "ab":
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(file.parent / f"{name}.png")
    pictures = ["--data", ".", "--images", "1", "--size", "32"]
    assert main(["probe", features, *pictures]) == 0
    assert "my.safetensors" in "".join(capsys.readouterr().out.split())
    of_teacher = ["--teacher", f"{CAFFE}.relu2_2", "--widths", "4", "--blocks", "0", "--steps", "2", "--batch", "2"]
    learned = ["--images", ".", "--check", ".", "--crop", "16", "--out", "own.safetensors"]
    assert main(["distill", *of_teacher, *learned]) == 0
    assert main(["bench", "losses", "--losses", "l1 + perceptual(features='own.safetensors.relu2_2')", *small]) == 0
