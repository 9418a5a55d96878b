"""What is shared of a model: the very bits, and nothing of where they were made."""

import getpass
import json
import platform
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import yaml
from msgspec.structs import replace

from pdloss.errors import RunError, SpecError
from pdloss.evaluation import load_network
from pdloss.files.tensors import read_tensors, write_tensors
from pdloss.models.addresses import Repository
from pdloss.models.packing import model_of
from pdloss.models.sharing import shared
from pdloss.records import TrainedOn, write_record
from pdloss.runs import RunFolder
from tests.models.conftest import TERMS, Made
from tests.runs_for_tests import assert_same_bits

TINY = Repository("anna/tiny")
SAID: dict[str, Any] = {"data": "made up, on no terms", "licence": "cc-by-4.0"}


def kept(files: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_runs_weights_are_shared_bit_for_bit(made: Made, tmp_path: Path) -> None:
    folder = kept(shared(made.run, TINY, **SAID), tmp_path / "shared")
    run = read_tensors(RunFolder(made.run).latest_weights()[1]).tensors
    assert_same_bits(read_tensors(folder / "model.safetensors").tensors, run)
    one, other = (load_network(place, torch.device("cpu")).state_dict() for place in (made.run, folder))
    assert_same_bits(dict(one), dict(other))
    assert shared(folder, Repository("ben/other")) == shared(made.run, TINY, **SAID), "a folder is taken as it is"


def test_a_packed_model_is_shared_as_the_file_that_it_is_with_its_scores(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "measured"
    folder.mkdir()
    for file in (made.file, made.out / "tiny.json"):
        (folder / file.name).write_bytes(file.read_bytes())
    files = shared(folder / "tiny.safetensors", TINY)
    assert files["model.safetensors"] == made.file.read_bytes()
    text = files["README.md"].decode()
    assert "## Scores" in text and f"{made.scores.sets[0].scores[0].value:.2f}" in text
    files = shared(folder / "tiny.safetensors", TINY, licence="mit")
    assert "## Scores" not in files["README.md"].decode(), "they are of another file"


def test_the_card_begins_with_what_the_hub_reads_and_says_how_to_use_it(made: Made) -> None:
    text = shared(made.run, TINY, **SAID)["README.md"].decode()
    _, head, body = text.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "license": "cc-by-4.0",
        "library_name": "pdloss",
        "pipeline_tag": "image-to-image",
        "tags": ["image-restoration", "jpeg-artifact-removal"],
    }
    assert '    network = pdloss.models.load("anna/tiny")' in body
    assert "--model anna/tiny" in body and "made up, on no terms" in body and "in single precision" in body
    assert "None of them shows a picture of Kodak24, Set5 or Set14." in body


def test_nothing_tells_of_the_machine_or_its_files(made: Made, tmp_path: Path) -> None:
    record = RunFolder(made.run).record()
    held = "vgg16(weights='/home/zoe/secret/vgg.safetensors', convention='caffe')"
    record = replace(
        record, data="/home/zoe/weddings", valid="/home/zoe/valid", degraded="/mnt/zoe/small", valid_degraded="C:\\zoe",
        degradation="shake(kernel='/home/zoe/kernels.npz', seed=1)", weights={held: "abc"}, init="/home/zoe/runs/start",
        loss=f'l1 + 0.01*pdl(features="{held}.relu1_2")', machine={"gpu": "zoe's card"}, batch=7,
    )  # fmt: skip
    run = tmp_path / "zoe" / "run"
    (run / "weights").mkdir(parents=True)
    write_record(run / "config.json", record)
    write_record(run / "photographs.json", TrainedOn(images={"zoe/dancing.png": "0" * 32}))
    weights = read_tensors(RunFolder(made.run).latest_weights()[1])
    write_tensors(run / "weights" / "000000003.safetensors", weights.tensors, weights.header | {"note": "zoe"})
    told = b"".join(shared(run, TINY, **SAID).values()).decode("latin-1")
    assert "kernels.npz" in told and "vgg.safetensors" in told, "what they were is told, and not where"
    for word in ("zoe", "dancing", "weddings", str(tmp_path), str(Path.home()), platform.node(), "secret"):
        assert word not in told, word
    assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", told)
    assert "of another training, of which nothing is known here" in told
    assert "Whether they show pictures of Kodak24, Set5 or Set14 is not known." in told


def test_a_path_that_is_left_is_found_before_anything_is_shared(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pdloss.models.packing.without_folders", lambda text: text.replace("jpeg(", "jpeg( "))
    with pytest.raises(RunError, match=r"README.md would tell of /home/zoe/photos, a path on this machine"):
        shared(made.run, TINY, data="my own (/home/zoe/photos)", licence="mit")


def test_pictures_that_are_measured_on_are_told(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = RunFolder(made.start).photographs()["photo1.png"]
    monkeypatch.setattr("pdloss.models.measured.measured_sets", lambda: {"kodak24": {"kodim01.png": shown}})
    text = shared(made.run, TINY, **SAID)["README.md"].decode()
    assert "1 of them show pictures that are measured on, such as kodim01.png of kodak24: its scores on such" in text


def test_what_cannot_be_shared_is_a_sentence(made: Made, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"add --data 'what it was trained on, and on whose terms' and --licence"):
        shared(made.run, TINY, licence="mit")
    with pytest.raises(RunError, match="'my own' is no licence's name as the Hub has them, such as apache-2.0"):
        shared(made.run, TINY, data=TERMS, licence="my own")
    with pytest.raises(RunError, match="is no model that pdloss models pack wrote"):
        shared(RunFolder(made.run).latest_weights()[1], TINY)
    own = kept({"config.json": (made.run / "config.json").read_bytes()}, tmp_path / "own")
    write_record(own / "config.json", replace(RunFolder(made.run).record(), network="mine.nets:Net(width=3)"))
    with pytest.raises(RunError, match=r"trained mine.nets:Net, code of your own, which nobody else has"):
        shared(own, TINY, **SAID)
    write_record(own / "config.json", replace(RunFolder(made.run).record(), steps=9, init=None))
    (own / "weights").mkdir()
    (own / "weights" / "000000003.safetensors").write_bytes(RunFolder(made.run).latest_weights()[1].read_bytes())
    with pytest.raises(RunError, match="stands at step 3 of 9: train it to its end first"):
        shared(own, TINY, **SAID)


def test_a_folder_that_makes_no_network_is_not_shared(made: Made, tmp_path: Path) -> None:
    folder = kept(shared(made.run, TINY, **SAID), tmp_path / "shared")
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    del config["content_sha256"]
    (folder / "config.json").write_text(json.dumps({**config, "network": "edsr(blocks=1, width=9, unshuffle=2)"}))
    with pytest.raises((RunError, SpecError), match="come from different models"):
        shared(folder, TINY)
    (folder / "README.md").unlink()
    with pytest.raises(RunError, match=r"has no README.md, and a model that is shared has all of model.safetensors"):
        shared(folder, TINY)


def test_what_is_said_of_a_shared_run_can_be_measured(made: Made, tmp_path: Path) -> None:
    folder = kept(shared(made.run, TINY, **SAID), tmp_path / "shared")
    model = model_of(folder / "model.safetensors")
    assert (model.name, model.licence, len(model.stages)) == ("tiny", "cc-by-4.0", 2)
    assert set(model.trained_on) == {"picture 1", "picture 2"}
