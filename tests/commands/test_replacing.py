"""No verb replaces a file that it did not write, unless it is told to."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.cli import main
from tests.report.folders import write_run
from tests.runs_for_tests import photographs_in, trained_run

# What a user types, with FILE for the file that is in the way, or FOLDER for the one that it lies in.
VERBS = {
    "score csv": ("score DATA DATA --metrics psnr --csv FILE", "a.csv"),
    "score json": ("score DATA DATA --metrics psnr --json FILE", "a.json"),
    "score latex": ("score DATA DATA --metrics psnr --latex FILE", "a.tex"),
    "evaluate": ("evaluate RUN --data DATA --metrics psnr --device cpu --markdown FILE", "a.md"),
    "compare csv": ("compare SCORED/a SCORED/b --csv FILE", "a.csv"),
    "compare json": ("compare SCORED/a SCORED/b --json FILE", "a.json"),
    "compare markdown": ("compare SCORED/a SCORED/b --markdown FILE", "a.md"),
    "report": ("report SCORED/a SCORED/b --out FOLDER", "index.html"),
    "report table": ("report SCORED/a --out elsewhere --export FOLDER", "scores.csv"),
    "restore": ("restore DATA/photo0.png --model RUN --device cpu --out FOLDER", "photo0.png"),
    "restore one": ("restore DATA/photo0.png --model RUN --device cpu --out FILE", "mine.png"),
    "conformance": ("conformance pdloss.losses:perceptual_loss --kind perceptual --markdown FILE", "a.md"),
    "analyse": ("study analyse ANSWERS --out FOLDER", "index.html"),
}
# Of what would take long to let through, only the refusal.
DEAR = {
    "bench": ("bench losses --out FILE", "a.json"),
    "convert": ("convert srn nothing.npz --out FILE", "a.safetensors"),
    "distill": ("distill --images DATA --check DATA --out FILE", "a.safetensors"),
    "niqe": ("niqe fit DATA --out FILE", "a.safetensors"),
    "figure": ("figure framework --image DATA/photo0.png --features distilled.relu4_3 --out BASE", "a.svg"),
}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Something of each kind that a verb works on."""
    folder = tmp_path_factory.mktemp("replacing")
    for name, first in (("a", 30.0), ("b", 29.0)):
        write_run(folder / "scored" / name, {"psnr": [first, 31.0, 32.0]})
    data = photographs_in(folder / "data")
    run = trained_run(folder / "run", data, steps=1)
    return {
        "DATA": str(data),
        "RUN": str(run),
        "SCORED": str(folder / "scored"),
        "ANSWERS": str(_answers(folder / "answers.csv")),
    }


def _answers(path: Path) -> Path:
    rows = [
        f"r{rater},i{image},a,b,{('left', 'right')[(rater + image) % 2]}" for rater in range(3) for image in range(4)
    ]
    path.write_text("\n".join(["rater,image,left,right,choice", *rows]))
    return path


def typed(text: str, path: Path, words: dict[str, str]) -> list[str]:
    all_words = words | {"FILE": str(path), "FOLDER": str(path.parent), "BASE": str(path.with_suffix(""))}
    result = []
    for word in text.split():
        first, _, rest = word.partition("/")
        result.append(f"{all_words.get(first, first)}/{rest}" if rest else all_words.get(word, word))
    return result


@pytest.mark.parametrize(("text", "name"), [*VERBS.values(), *DEAR.values()], ids=[*VERBS, *DEAR])
def test_a_file_of_the_user_s_stays(
    text: str,
    name: str,
    words: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine" / name
    path.parent.mkdir()
    path.write_text("mine")
    assert main(typed(text, path, words)) == 1
    assert path.read_text() == "mine"
    assert [each.name for each in path.parent.iterdir()] == [name]
    said = capsys.readouterr().err
    assert f"{path} exists already" in said and "--overwrite" in said


@pytest.mark.parametrize(("text", "name"), VERBS.values(), ids=list(VERBS))
def test_it_is_replaced_on_request_and_then_again_without(
    text: str, name: str, words: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine" / name
    path.parent.mkdir()
    path.write_text("mine")
    argv = typed(text, path, words)
    assert main([*argv, "--overwrite"]) in (0, 1)
    first = path.read_bytes()
    assert first != b"mine"
    assert main(argv) in (0, 1)
    path.write_bytes(first + b"changed")
    assert main(argv) == 1
    assert path.read_bytes() == first + b"changed"


def test_an_original_beside_the_picture_named_is_not_replaced(words: dict[str, str], tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(tmp_path / "IMG.jpg")
    Image.fromarray(np.full((40, 50, 3), 80, np.uint8)).save(tmp_path / "IMG.png")
    before = (tmp_path / "IMG.png").read_bytes()
    argv = ["restore", str(tmp_path / "IMG.jpg"), "--model", words["RUN"], "--out", str(tmp_path), "--device", "cpu"]
    assert main(argv) == 1
    assert (tmp_path / "IMG.png").read_bytes() == before


def test_an_original_is_not_replaced_by_itself_even_on_request(words: dict[str, str], tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 50, 3), 80, np.uint8)).save(tmp_path / "IMG.png")
    before = (tmp_path / "IMG.png").read_bytes()
    argv = ["restore", str(tmp_path / "IMG.png"), "--model", words["RUN"], "--out", str(tmp_path), "--overwrite"]
    assert main(argv) == 1
    assert (tmp_path / "IMG.png").read_bytes() == before
