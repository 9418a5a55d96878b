"""The Hub's own package, against a small Hub on this machine: what is fetched, what is refused, what is written."""

# ruff: noqa: F401, F811  (a fixture is imported, and then named again as an argument)

import sys
from pathlib import Path

import pytest

from pdloss.errors import MissingExtraError, RunError
from pdloss.files.tensors import write_tensors
from pdloss.models import shelf
from pdloss.models.addresses import Repository
from pdloss.models.hub import MOST_BYTES, fetch, upload
from pdloss.models.shelf import name_of, place_of
from pdloss.networks import network
from pdloss.records import ModelConfig, write_record
from tests.models.hub_server import Hub, hub

# huggingface_hub gives httpx2 a file in a way that httpx2 would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
TINY = Repository("anna/tiny")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """A model's files."""
    text, folder = "edsr(scale=1, blocks=1, width=4)", tmp_path / "files"
    folder.mkdir()
    write_tensors(folder / "model.safetensors", network(text).state_dict())
    write_record(folder / "config.json", ModelConfig(made_by="a test", network=text, parameters=1, licence="mit"))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# tiny\n")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_three_named_files_of_one_commit_are_fetched_and_nothing_else(hub: Hub, files: dict[str, bytes]) -> None:
    first = hub.add("anna/tiny", **files, **{"modeling.py": b"import os", "pytorch_model.bin": b"\x80\x04"})
    changed = {**files, "README.md": b"another card"}
    hub.add("anna/tiny", **changed)
    assert contents(fetch(TINY)) == changed
    assert contents(fetch(Repository("anna/tiny", first))) == files
    assert {path.rpartition("/")[2] for _, path in hub.asked} == set(files)
    assert all("pdloss/" in agent for agent in hub.agents)


def test_what_was_fetched_is_found_when_nothing_may_be_asked(
    hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("anna/tiny", **files)
    with monkeypatch.context() as patch:
        patch.setenv("PDLOSS_OFFLINE", "1")
        with pytest.raises(RunError, match="was not fetched before, and PDLOSS_OFFLINE forbids a download"):
            fetch(TINY)
        assert not hub.asked
    fetch(TINY)
    hub.asked.clear()
    monkeypatch.setenv("PDLOSS_OFFLINE", "1")
    assert contents(fetch(TINY)) == files and not hub.asked


def test_a_repository_without_a_card_is_a_model_too(hub: Hub, files: dict[str, bytes]) -> None:
    hub.add("anna/tiny", **{name: content for name, content in files.items() if name != "README.md"})
    assert set(contents(fetch(TINY))) == {"model.safetensors", "config.json"}


def test_what_cannot_be_had_is_a_sentence_with_the_cure(
    hub: Hub, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("anna/tiny", **files)
    hub.add("anna/gated", **files)
    hub.gated.add("anna/gated")
    hub.add("anna/closed", **files)
    hub.private.add("anna/closed")
    hub.token = "hf_right"
    for repository, said in {
        Repository("anna/gated"): "is gated: accept its terms on its page, and then log in with 'hf auth login'",
        Repository("anna/closed"): "there is no repository anna/closed on the Hub, or it is private .* set HF_TOKEN",
        Repository("anna/none"): "there is no repository anna/none on the Hub, or it is private",
        Repository("anna/tiny", "v9"): "the repository anna/tiny has no commit, branch or tag v9",
    }.items():
        with pytest.raises(RunError, match=said):
            fetch(repository)
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert contents(fetch(Repository("anna/closed"))) == files


def test_what_holds_no_model_of_ours_is_refused_before_its_weights_are_fetched(
    hub: Hub, files: dict[str, bytes]
) -> None:
    hub.add("anna/bare", **{"README.md": b"", "pytorch_model.bin": b"\x80\x04"})
    hub.add("anna/bert", **{"config.json": b'{"model_type": "bert"}', "model.safetensors": b""})
    hub.add("anna/half", **{"config.json": files["config.json"]})
    for name, said in {
        "bare": "holds no model of pdloss: it has no config.json; such a one has model.safetensors and config.json",
        "bert": "the repository anna/bert holds no model of pdloss: .*config.json is not a ModelConfig",
        "half": "holds no model of pdloss: it has no model.safetensors",
    }.items():
        with pytest.raises(RunError, match=said):
            fetch(Repository(f"anna/{name}"))
    assert ("GET", "/anna/bert/resolve/main/model.safetensors") not in hub.asked
    assert not [path for _, path in hub.asked if path.endswith(".bin")]


def test_more_than_any_network_has_is_not_fetched(hub: Hub, files: dict[str, bytes]) -> None:
    hub.add("anna/tiny", **files)
    hub.sizes["model.safetensors"] = MOST_BYTES + 1
    with pytest.raises(RunError, match=r"model.safetensors of the repository anna/tiny has 4,016,777,217 bytes"):
        fetch(TINY)
    assert not [path for method, path in hub.asked if method == "GET" and path.endswith(".safetensors")]


def test_a_hub_that_does_not_answer_is_named(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.close()
    monkeypatch.setattr("time.sleep", lambda _: None)  # between the package's tries
    with pytest.raises(RunError, match=f"was not fetched before, and the Hub at {hub.url} does not answer"):
        fetch(TINY)
    with pytest.raises(RunError, match="the repository anna/tiny could not be written: .*onnect"):
        upload({}, TINY, private=False, overwrite=False)


@pytest.mark.parametrize("mode", ["lfs", "regular"])
def test_what_is_written_is_one_commit_that_is_fetched_again_bit_for_bit(
    hub: Hub, files: dict[str, bytes], mode: str
) -> None:
    hub.mode = mode
    assert upload(files, TINY, private=True, overwrite=False) == f"{hub.url}/anna/tiny"
    assert hub.commits["anna/tiny"] == [{}, files] and hub.private == {"anna/tiny"}
    assert contents(fetch(TINY)) == files


def test_what_stands_there_is_replaced_only_when_asked(hub: Hub, files: dict[str, bytes]) -> None:
    hub.add("anna/tiny", **{"README.md": b"by hand"})
    with pytest.raises(
        RunError, match=r"anna/tiny holds README.md already: --overwrite replaces them, in a new commit"
    ):
        upload(files, TINY, private=False, overwrite=False)
    assert len(hub.commits["anna/tiny"]) == 1
    with pytest.raises(RunError, match="the repository anna/tiny is there already, and public: nothing was sent"):
        upload(files, TINY, private=True, overwrite=True)
    upload(files, TINY, private=False, overwrite=True)
    assert hub.commits["anna/tiny"] == [{"README.md": b"by hand"}, files]


def test_who_is_not_logged_in_may_not_write(hub: Hub, files: dict[str, bytes]) -> None:
    hub.token = "hf_right"
    with pytest.raises(RunError, match=r"anna/tiny may not be written with this login \(401\): log in"):
        upload(files, TINY, private=False, overwrite=False)
    assert not hub.commits


def test_what_lies_here_comes_first_and_that_is_said_where_both_were_used(
    hub: Hub,
    files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    hub.add("anna/tiny", **files)
    there = place_of("anna/tiny")
    assert contents(there) == files and name_of("anna/tiny", there) == "tiny"
    Path("anna/tiny").mkdir(parents=True)
    Path("anna/other").mkdir()
    capfd.readouterr()
    assert place_of("anna/other") == Path("anna/other") and capfd.readouterr().err == ""
    assert place_of("anna/tiny") == Path("anna/tiny")
    assert "is what lies here, and not the repository of the Hub, which is hf://anna/tiny" in capfd.readouterr().err
    assert place_of("hf://anna/tiny") == there
    with pytest.raises(
        RunError, match=r"anna/tini is not a run folder: .*the repository of that name .* hf://anna/tini"
    ):
        place_of("anna/tini")
    with pytest.raises(RunError, match=r"hf://anna is no repository of the Hub: write hf://owner/name"):
        place_of("hf://anna")


def test_without_the_package_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shelf, "SHELF", tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pdloss\[hub\]'"):
        place_of("hf://anna/tiny")
    with pytest.raises(RunError, match=r"there is no anna/tiny here, and on the Hub: .*pip install 'pdloss\[hub\]'"):
        place_of("anna/tiny")
