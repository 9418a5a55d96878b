"""``pdloss conformance`` as typed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pdloss.commands.conformance import main, named
from pdloss.errors import SpecError
from pdloss.losses import perceptual_loss

OURS = "pdloss.losses:projected_distribution_loss"

OWN = """
import torch

class Sorted:
    def __init__(self, factor=1.0):
        self.factor = factor
    def __call__(self, u, v):
        return self.factor * (u.flatten(2).sort(-1).values - v.flatten(2).sort(-1).values).abs().mean((1, 2))

class Needy(Sorted):
    def __init__(self, factor):
        super().__init__(factor)

doubled = Sorted(2.0)
number = 3

def for_two(u, v):
    return Sorted()(u * torch.ones(1, 2, 1, 1), v * torch.ones(1, 2, 1, 1)) if u.shape[1] == 2 else Sorted()(u)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with losses of one's own in ``own_losses.py``."""
    (tmp_path / "own_losses.py").write_text(OWN)
    (tmp_path / "broken_losses.py").write_text("def loss(u, v:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in ("own_losses", "broken_losses"):
        sys.modules.pop(name, None)


def test_a_loss_that_conforms_ends_with_status_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([OURS]) == 0
    said = capsys.readouterr().out
    assert "ignores shuffled positions" in said
    assert "conforms: 15 pass, 0 fail, 1 not judged" in said


def test_one_that_does_not_is_told_why_and_ends_with_status_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert main([OURS, "pdloss.losses:perceptual_loss"]) == 1
    said = capsys.readouterr().out
    assert "conforms: 15 pass" in said
    assert "does not conform: " in said
    assert "or compares place by place" in said


def test_the_kind_and_the_seed_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pdloss.losses:perceptual_loss", "--kind", "perceptual"]) == 0
    first = capsys.readouterr().out
    assert "conforms: 12 pass, 0 fail, 1 not judged" in first
    assert main(["pdloss.losses:perceptual_loss", "--kind", "perceptual", "--seed", "9"]) == 0
    assert capsys.readouterr().out != first


def test_functions_objects_and_classes_of_the_working_folder_are_found(own: Path) -> None:
    assert main(["own_losses:Sorted"]) == 0
    assert main(["own_losses:doubled"]) == 1
    assert main(["own_losses:doubled", "--scale", "2"]) == 0
    assert main(["own_losses:for_two"]) == 1
    assert main(["own_losses:for_two", "--channels", "2"]) == 0


def test_names_the_function_itself() -> None:
    assert named("pdloss.losses:perceptual_loss") is perceptual_loss


def test_the_tables_are_written_as_markdown_too(tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.md"
    assert main([OURS, "--markdown", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert f"    pdloss conformance {OURS} --markdown {page}\n" in text
    assert "| ignores rolled positions | pass |" in text
    assert f"## `{OURS}`\n\nConforms: 15 pass, 0 fail, 1 not judged.\n" in text
    assert sorted(path.name for path in page.parent.iterdir()) == [".pdloss.jsonl", "page.md"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("perceptual_loss", "expected package.module:callable, .* got 'perceptual_loss'"),
        ("pdloss.losses:", "expected package.module:callable"),
        ("no_such_module:loss", "no_such_module:loss: ModuleNotFoundError: No module named 'no_such_module'"),
        ("own_losses:missing", "own_losses:missing: AttributeError"),
        ("own_losses:Needy", "own_losses:Needy: TypeError: .*factor"),
        ("own_losses:number", "own_losses:number is a int, which cannot be called"),
        ("broken_losses:loss", "broken_losses:loss: SyntaxError"),
    ],
)
def test_what_cannot_be_found_or_called_is_one_sentence(own: Path, path: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        main([path])


@pytest.mark.parametrize(
    ("option", "message"), [("--scale=-1", "positive and finite, got -1"), ("--channels=0", "at least one channel")]
)
def test_options_without_meaning_are_one_sentence(option: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        main([OURS, option])


def test_naming_no_loss_is_wrong_usage() -> None:
    with pytest.raises(SpecError, match="no loss is named"):
        main([])
