"""The command line: help without torch, one line for every error that a user can put right."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import pdloss
from pdloss import cli
from pdloss.errors import AssetError, MissingExtraError, SpecError, UsageError
from tests.commands.programs import python, raising, verb


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_verb(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([flag]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    for name, what in cli.VERBS.items():
        assert f"  {name:<13}{what}\n" in said.out


def test_every_verb_has_its_file() -> None:
    files = {path.stem for path in (Path(cli.__file__).parent / "commands").glob("*.py")}
    assert set(cli.VERBS) <= files


def test_nothing_typed_shows_the_help_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "usage: pdloss VERB" in capsys.readouterr().out


def test_an_unknown_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trian", "--data", "x"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "pdloss: unknown command 'trian'; did you mean 'train'? Known: train, sweep, reproduce, degrade, evaluate, "
        "score, compare, restore, models, report, figure, study, calibrate, conformance, bench, probe, niqe, distill, "
        "export, convert, data, assets\n"
    )


def test_the_verb_gets_the_other_arguments_and_its_status_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    got = []
    verb(monkeypatch, lambda argv: got.append(argv) or 130)
    assert cli.main(["train", "--steps", "3"]) == 130
    assert got == [["--steps", "3"]]


def test_arguments_come_from_the_command_line_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    got = []
    verb(monkeypatch, lambda argv: got.append(argv) or 0)
    monkeypatch.setattr(sys, "argv", ["pdloss", "train", "--lr", "1"])
    assert cli.main() == 0
    assert got == [["--lr", "1"]]


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SpecError("unknown loss 'l3'; did you mean 'l1'?"), 1, "unknown loss 'l3'; did you mean 'l1'?"),
        (AssetError("vgg16 is not at hand"), 1, "vgg16 is not at hand"),
        (
            MissingExtraError("jinja2", "report"),
            1,
            "jinja2 is not installed; it comes with: pip install 'pdloss[report]'",
        ),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/x"),
            1,
            "No space left on device: runs/a/x; make room there, or choose another place; nothing half-written stays",
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "runs"),
            1,
            "Permission denied: runs; you have no right to it: choose another place, or change its permissions",
        ),
        (UsageError("train has no --epochs: write --steps"), 2, "train has no --epochs: write --steps"),
        (OSError("without a number"), 1, "without a number"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_a_user_can_put_right_is_one_line_without_traceback(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verb(monkeypatch, raising(error))
    assert cli.main(["train"]) == status
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert output.err == f"pdloss: {said}\n"


@pytest.mark.parametrize(("typed", "shown"), [(["help"], "usage: pdloss VERB"), (["help", "data"], "pdloss data")])
def test_help_may_be_asked_for_in_words(typed: list[str], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = cli.main(typed)
    except SystemExit as stop:
        status = stop.code
    assert status == 0
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize("word", ["version", "-V", "--version"])
def test_the_version_may_be_asked_for_in_every_way(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([word]) == 0
    assert capsys.readouterr().out.startswith(f"pdloss {pdloss.__version__}\n")


@pytest.mark.parametrize("error", [SpecError("wrong"), PermissionError(13, "no"), KeyboardInterrupt()])
def test_the_traceback_can_be_asked_for(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDLOSS_TRACEBACK", "1")
    verb(monkeypatch, raising(error))
    with pytest.raises(type(error)):
        cli.main(["train"])


def test_an_unknown_verb_is_one_line_even_when_tracebacks_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PDLOSS_TRACEBACK", "1")
    assert cli.main(["zzz"]) == 2
    assert capsys.readouterr().err.startswith("pdloss: unknown command 'zzz'; Known: ")


def test_help_version_and_mistakes_do_not_import_torch() -> None:
    program = (
        "import sys\n"
        "from pdloss.cli import main\n"
        "statuses = [main([word]) for word in ('--help', '--version', 'trian')]\n"
        "print(statuses, sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'numpy', 'tyro'}))\n"
    )
    done = python(program)
    assert done.stdout.splitlines()[-1] == "[0, 0, 2] []"


def test_the_version_says_what_runs_and_where_weights_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path / "own"))
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "cache"))
    assert cli.main(["--version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("device cuda" if torch.cuda.is_available() else "device cpu, ")
    assert lines == [
        f"pdloss {pdloss.__version__}",
        f"torch {torch.__version__}",
        f"python {sys.version.split()[0]}",
        lines[3],
        f"weights are looked for in {tmp_path / 'own'} (PDLOSS_ASSETS), then {tmp_path / 'cache'} (the cache)",
    ]


HIDING_WHAT_COMPUTES = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "numpy", "scipy", "PIL", "jaxtyping"):  # what takes its time
            raise ImportError(f"{name} is hidden")

sys.meta_path.insert(0, Hidden())
from pdloss.cli import main
for words in sys.argv[1:]:
    try:
        status = main(words.split())
    except SystemExit as stop:
        status = stop.code
    print(f"-- {words}: {status}")
"""


def choices_in(usage: str) -> list[str]:
    """Returns the verbs below a verb: how its help lists them, with argparse, with tyro or by hand."""
    if listed := re.search(r"\{([a-z]+(?:,[a-z]+)*)\}", usage.partition("\n\n")[0]):
        return listed[1].split(",")
    return re.findall(r"^  ([a-z]+) +\w", usage, re.MULTILINE) if " VERB [options]" in usage else []


def helps(*commands: str) -> dict[str, str]:
    """Returns what each command shows for help, where nothing that computes can be imported."""
    asked = [f"{command} --help" for command in commands]
    done = python(HIDING_WHAT_COMPUTES, *asked)
    assert re.findall(r"^-- (.*): 0$", done.stdout, re.MULTILINE) == asked, done.stdout[-2000:] + done.stderr
    return dict(zip(commands, re.split(r"^-- .*\n", done.stdout, flags=re.MULTILINE), strict=False))


def test_the_help_of_every_verb_and_of_those_below_it_needs_neither_torch_nor_numpy() -> None:
    shown = helps(*cli.VERBS)
    below = [f"{verb} {word}" for verb, usage in shown.items() for word in choices_in(usage)]
    assert {"assets get", "data get", "figure crops", "niqe fit", "study analyse", "study simulate"} <= {*below}
    shown |= helps(*below)
    assert all("--" in usage or "NAME" in usage or "usage" in usage for usage in shown.values())
    assert "--loss" in shown["train"] and "--share" in shown["calibrate"] and "--teacher" in shown["distill"]


def test_python_m_pdloss_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "pdloss", "reprot"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("pdloss: unknown command 'reprot'; did you mean 'report'?")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_stops_with_130_and_no_traceback() -> None:
    program = (
        "import os, signal, sys, types\n"
        "from pdloss.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background is born deaf to it
        "stop = lambda argv: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.modules['pdloss.commands.train'] = types.SimpleNamespace(main=stop)\n"
        "sys.exit(main(['train']))\n"
    )
    done = python(program)
    assert (done.returncode, done.stderr) == (130, "pdloss: stopped\n")


def test_a_wrong_choice_on_the_real_command_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    argv = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--loss", "l1 + 0.1*pld", "--steps", "1"]
    assert cli.main(argv) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("pdloss: in 'l1 + 0.1*pld', at 'pld': unknown loss 'pld'; did you mean 'pdl'?")
