"""What came in a file names only what pdloss knows; what was typed may name the user's own, of the right kind."""

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pdloss import degradations, features, losses, networks
from pdloss.cli import main
from pdloss.datasets import Photographs
from pdloss.errors import SpecError
from pdloss.evaluation.frozen_sets import freeze
from pdloss.runs import RunFolder, load_weights, write_tensors
from pdloss.specs.trust import RECEIVED, TYPED, trusting
from tests.runs_for_tests import photographs_in, trained_run

OWN = """
from pathlib import Path
import torch

(Path(__file__).parent / "imported").touch()

class Net(torch.nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 3, padding=1)
    def forward(self, degraded):
        return self.layer(degraded)

class Noise:
    def __call__(self, clean, generator):
        return clean + 0.1

class Careless(torch.nn.Module):
    def forward(self, restored, target):
        return (restored - target).abs().mean()

class Maps(torch.nn.Module):
    def forward(self, images):
        return images

def plain(width=8):
    return Net(width)

def annotated(width: int = 8) -> Net:
    return Net(width)
"""
ATTACKS = (
    "subprocess:getoutput(cmd='touch {made}')",
    "torch.hub:load(repo_or_dir='{folder}', model='entry', source='local')",
    "received_code:Net",
)


def unsealed(file: Path) -> dict[str, object]:
    """What the record says, as one who changes it on purpose writes it."""
    content = json.loads(file.read_text())
    del content["content_sha256"]
    return content


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, with code that says when it is imported, and the repository of an attacker."""
    (tmp_path / "received_code.py").write_text(OWN)
    (tmp_path / "hubconf.py").write_text("from pathlib import Path\nPath(__file__).with_name('made').touch()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.modules.pop("received_code", None)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small photographs."""
    return photographs_in(tmp_path_factory.mktemp("trust") / "photographs")


@pytest.fixture(scope="module")
def honest(data: Path) -> Path:
    """A run of a network of the library."""
    return trained_run(data.parent / "honest", data, steps=2)


def with_text(run: Path, out: Path, **texts: str) -> Path:
    """A copy of a run whose record says something else."""
    (out / "weights").mkdir(parents=True)
    (out / "config.json").write_text(json.dumps(unsealed(run / "config.json") | texts))
    weights = RunFolder(run).latest_weights()[1]
    (out / "weights" / weights.name).write_bytes(weights.read_bytes())
    return out


def nothing_ran(folder: Path) -> bool:
    return not (folder / "made").exists() and not (folder / "imported").exists()


def commands(run: Path, data: Path, out: Path) -> dict[str, list[str]]:
    """Every command that reads a run, by what it does."""
    small = ["--batch", "2", "--crop", "16", "--device", "cpu"]
    return {
        "evaluate": ["evaluate", str(run), "--data", str(data), "--metrics", "psnr", "--device", "cpu"],
        "restore": ["restore", str(data), "--model", str(run), "--out", str(out), "--device", "cpu"],
        "train --init": ["train", "--data", str(data), "--out", str(out), "--init", str(run), "--loss", "l1",
                         "--steps", "1", *small],
        "train --config": ["train", "--config", str(run / "config.json"), "--out", str(out), "--steps", "1", *small],
        "calibrate --init": ["calibrate", "--data", str(data), "--init", str(run), "--loss", "l1 + l2", "--share",
                             "0.5", "--batches", "1", *small],
    }  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("verb", ["evaluate", "restore", "train --init", "train --config", "calibrate --init"])
def test_a_run_that_names_code_for_its_network_is_refused_before_any_import(
    folder: Path, data: Path, honest: Path, verb: str, attack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = attack.format(made=folder / "made", folder=folder)
    run = with_text(honest, folder / "received", network=text)
    before = set(sys.modules)
    assert main(commands(run, data, folder / "out")[verb]) == 1
    said = capsys.readouterr().err
    module = text.partition(":")[0]
    assert f"the module {module} was not imported" in said
    assert f"--trust {module}" in said
    assert nothing_ran(folder)
    assert not {"received_code", "torch.hub"} & (set(sys.modules) - before)


@pytest.mark.parametrize("verb", ["evaluate", "calibrate --init", "train --config"])
def test_a_run_that_names_code_for_its_degradation_is_refused(
    folder: Path, data: Path, honest: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = with_text(honest, folder / "received", degradation="noise | received_code:Noise")
    assert main(commands(run, data, folder / "out")[verb]) == 1
    assert "--trust received_code" in capsys.readouterr().err
    assert nothing_ran(folder)


@pytest.mark.parametrize(
    "loss",
    [
        "l1 + received_code:Careless",
        "l1 + pdl(features='received_code:Maps')",
        "l1 + adversarial(critic='received_code:Net')",
        "l1 + adversarial(critic='received' '_code:Net')",
        r"l1 + pdl(features='received_code\x3aMaps')",
    ],
)
def test_the_loss_of_a_record_names_no_code_either(
    folder: Path, data: Path, honest: Path, loss: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = with_text(honest, folder / "received", loss=loss)
    assert main(commands(run, data, folder / "out")["train --config"]) == 1
    assert "--trust received_code" in capsys.readouterr().err
    assert nothing_ran(folder)


def test_the_header_of_a_weights_file_names_no_code(
    folder: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tensors(folder / "x.safetensors", {"a": torch.zeros(1)}, {"network": "received_code:Net"})
    assert main(commands(folder / "x.safetensors", data, folder / "out")["restore"]) == 1
    assert "--trust received_code" in capsys.readouterr().err
    assert nothing_ran(folder)


def test_a_weights_file_is_trusted_by_name_too(folder: Path, data: Path) -> None:
    run = trained_run(folder / "own", data, steps=1, network="received_code:Net", typed=True)
    arguments = commands(RunFolder(run).latest_weights()[1], data, folder / "out")["restore"]
    assert main(arguments) == 1
    assert main([*arguments, "--trust", "received_code"]) == 0


def test_the_manifest_of_a_frozen_set_names_no_code(
    folder: Path, data: Path, honest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen = folder / "frozen"
    freeze(Photographs(data), "noise(sigma=0.1)", frozen)
    whole = unsealed(frozen / "manifest.json")
    arguments = [*commands(honest, data, folder)["evaluate"], "--degraded", str(frozen)]
    for wrong in (
        whole | {"degradation": "received_code:Noise"},
        whole | {"images": [image | {"degradation": "received_code:Noise"} for image in whole["images"]]},
    ):
        (frozen / "manifest.json").write_text(json.dumps(wrong))
        assert main(arguments) == 1
        assert "--trust received_code" in capsys.readouterr().err
        assert nothing_ran(folder)


@pytest.mark.parametrize("verb", ["evaluate", "restore", "train --init", "train --config", "calibrate --init"])
def test_what_is_trusted_by_name_is_followed_for_one_command(
    folder: Path, data: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained_run(folder / "own", data, steps=1, network="received_code:Net", typed=True)
    arguments = commands(run, data, folder / "out")[verb]
    assert main(arguments) == 1
    assert main([*arguments, "--trust", "json", "--trust", "received_code"]) == 0
    capsys.readouterr()
    again = [word.replace(str(folder / "out"), str(folder / "out2")) for word in arguments]
    assert main([*again, *(["--again"] if verb == "evaluate" else []), "--trust=json"]) == 1
    assert "--trust received_code" in capsys.readouterr().err


def test_an_option_typed_beside_a_record_counts_as_typed(folder: Path, data: Path) -> None:
    run = trained_run(folder / "own", data, steps=1, network="received_code:Net", typed=True)
    arguments = commands(run, data, folder / "out")["train --config"]
    assert main(arguments) == 1
    assert main([*arguments, "--network=received_code:Net"]) == 0


def test_the_same_command_goes_on_with_a_run_of_ones_own_network(folder: Path, data: Path) -> None:
    begun = ["train", "--data", str(data), "--out", str(folder / "out"), "--network", "received_code:Net", "--loss",
             "l1 + pdl(features='received_code:Maps')", "--steps", "2", "--save-every", "1", "--batch", "2", "--crop",
             "16", "--device", "cpu"]  # fmt: skip
    assert main(begun) == 0
    assert main(begun) == 0


@pytest.mark.parametrize(
    ("make", "text", "said"),
    [
        (networks.network, "subprocess:getoutput(cmd='touch made')", "not a network: .*annotation"),
        (networks.network, "received_code:Noise", "is the class Noise, and not a network: a class derived from torch"),
        (networks.network, "received_code:plain", "of the type function, and not a network"),
        (networks.network, "received_code:torch", "of the type module, and not a network"),
        (degradations.degradation, "subprocess:Popen(args='touch made', shell=True)", "class Popen, and not a degrad"),
        (degradations.degradation, "os:system(command='touch made')", "and not a degradation"),
        (features.extractor, "builtins:exec(source='1')", "and not features"),
        (features.extractor, "builtins:print", "and not features"),
        (lambda text, trusted: losses.objective(text, trusted).build(), "l1 + os:system(command='touch made')",
         "and not a loss"),
    ],
)  # fmt: skip
def test_even_what_was_typed_must_be_of_the_kind_wanted(folder: Path, make, text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        make(text, TYPED)
    assert not (folder / "made").exists()


@pytest.mark.parametrize("text", ["received_code:Net(width=4)", "received_code:annotated(width=4)"])
def test_a_class_and_a_function_that_says_what_it_makes_are_taken(folder: Path, text: str) -> None:
    assert type(networks.network(text, TYPED)).__name__ == "Net"
    assert type(networks.network(text, trusting("received_code"))).__name__ == "Net"


@pytest.mark.parametrize(
    "read",
    [
        networks.NETWORKS.parse, networks.network, losses.LOSSES.parse_sum, losses.objective,
        degradations.DEGRADATIONS.parse_chain, degradations.parse, degradations.degradation,
        features.FeatureNames.parse, features.extractor,
    ],
)  # fmt: skip
def test_every_reader_takes_text_for_received_unless_told_otherwise(folder: Path, read) -> None:
    for allowed in ((), (RECEIVED,), (trusting("received"),), (trusting("received_code.more"),)):
        with pytest.raises(SpecError, match="the module received_code was not imported"):
            read("received_code:Net", *allowed)
    assert nothing_ran(folder)


def test_a_kernel_may_still_be_named_in_its_file() -> None:
    text = "blur(kernel='kernels.npz:first')"
    assert str(degradations.DEGRADATIONS.parse_chain(text)[0]) == text


def test_a_module_is_trusted_by_the_name_that_python_imports() -> None:
    for wrong in ("mine.py", "./mine", "a b", "", "mine:Net"):
        with pytest.raises(SpecError, match="--trust .* is no module: write its name as Python imports it"):
            trusting("fine", *([wrong] if wrong != "mine.py" else ["mine-py"]))


def test_nothing_in_the_library_reads_a_pickle_or_evaluates_text() -> None:
    import pdloss

    calls = {}
    for file in sorted(Path(pdloss.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
                forbidden = names & {"pickle", "marshal", "shelve", "dill", "yaml", "joblib"}
                # One takes arrays only, with stand-ins for all that it is asked to call; the other reads what it wrote.
                assert not forbidden or file.stem in ("array_pickles", "workers"), file
            if isinstance(node, ast.Call):
                calls.setdefault(ast.unparse(node.func), []).append((file.stem, ast.unparse(node)))
    assert not {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.hub.load"} & calls.keys()
    assert {file for file, _ in calls["torch.load"]} == {"fetching"}
    assert all("weights_only=True" in text for _, text in calls["torch.load"])
    assert all("allow_pickle=False" in text for _, text in calls["np.load"])
    # Git of this very source, this program's own verbs, the list of GPUs, and pip.
    assert {file for file, _ in calls["subprocess.run"]} == {
        "provenance",
        "preferences",
        "sweeping",
        "slots",
        "packages",
    }
    assert {file for file, _ in calls["subprocess.Popen"]} == {"sweep", "worker"}  # its own verbs
    # The package's own names, a verb or a logger of its own, what the user typed, and three known programs' registries.
    ours = {"__init__", "cli", "choosing", "conformance", "lazy_names", "basicsr"}
    assert {file for file, _ in calls["importlib.import_module"]} == ours


def test_weights_are_loaded_without_the_code_that_made_them(folder: Path, data: Path, honest: Path) -> None:
    network = networks.network(json.loads((honest / "config.json").read_text())["network"])
    load_weights(RunFolder(honest).latest_weights()[1], network)
    assert nothing_ran(folder)
