"""What a model folder says, and when it does not."""

from pathlib import Path

import pytest
import torch

from pdloss.errors import RunError, SpecError
from pdloss.evaluation import load_network
from pdloss.files.tensors import write_tensors
from pdloss.networks import network
from pdloss.records import ModelConfig, is_model_folder, write_record
from pdloss.runs.model_folder import model_config
from pdloss.runs.purposes import trained_for, weights_file
from tests.runs_for_tests import assert_same_bits

TEXT = "edsr(scale=1, blocks=1, width=4, unshuffle=2)"
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network as it was made, without a word about it in the header."""
    made = tmp_path / "model"
    made.mkdir()
    torch.manual_seed(0)
    write_tensors(made / "model.safetensors", network(TEXT).state_dict())
    configure(made)
    return made


def configure(folder: Path, text: str = TEXT) -> None:
    config = ModelConfig(made_by="a test", network=text, task="jpeg", degradation="jpeg(quality=10)", crop=48,
                         parameters=1, licence="mit")  # fmt: skip
    write_record(folder / "config.json", config)


def test_a_model_folder_says_what_its_weights_belong_to(folder: Path) -> None:
    assert is_model_folder(folder) and weights_file(folder) == folder / "model.safetensors"
    assert trained_for(folder) == (folder, "jpeg", TEXT, "jpeg(quality=10)", 48, None)
    loaded = load_network(folder, CPU)
    torch.manual_seed(0)  # with which the fixture made it
    assert_same_bits(dict(loaded.state_dict()), dict(network(TEXT).state_dict()))


def test_a_run_with_a_file_of_that_name_in_it_stays_a_run(folder: Path) -> None:
    (folder / "weights").mkdir()
    assert not is_model_folder(folder)


def test_two_files_of_different_models_are_told(folder: Path) -> None:
    write_tensors(folder / "model.safetensors", network(TEXT).state_dict(), {"network": "srn"})
    with pytest.raises(
        RunError, match=r"belong to edsr.*and they say to srn: the two files come from different models"
    ):
        load_network(folder, CPU)


@pytest.mark.parametrize(
    ("text", "said"),
    [("edrs(blocks=1)", "names its network: .*unknown network 'edrs'; did you mean 'edsr'"),
     ("subprocess:getoutput", "the module subprocess was not imported")],
)  # fmt: skip
def test_a_network_that_is_not_known_or_is_code_is_refused(folder: Path, text: str, said: str) -> None:
    configure(folder, text)
    with pytest.raises(SpecError, match=said):
        load_network(folder, CPU)


def test_what_lacks_its_configuration_or_is_none_is_a_sentence(folder: Path) -> None:
    (folder / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(RunError, match="config.json is not a ModelConfig"):
        model_config(folder)
    (folder / "config.json").unlink()
    with pytest.raises(RunError, match=r"has model.safetensors and no config.json, which would say"):
        model_config(folder)
    configure(folder)
    (folder / "model.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(RunError, match="model.safetensors cannot be read as a safetensors file"):
        model_config(folder)
