"""The terminal: output that no encoding stops, and what is said when a command cannot go on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pdloss
from pdloss import cli
from tests.commands.programs import raising, verb


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    verb(monkeypatch, lambda _: Path("/dev/full").write_text("x" * 100_000))
    assert cli.main(["train"]) == 1
    assert capsys.readouterr().err.startswith("pdloss: No space left on device; make room")


def test_a_fault_of_the_library_is_one_line_with_its_own_status_and_a_file_of_details(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verb(monkeypatch, raising(ZeroDivisionError("division by zero")))
    assert cli.main(["train", "--out", "caf\udce9"]) == 70
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("pdloss: unexpected ZeroDivisionError: division by zero; this is a fault of pdloss")
    log = re.search(r"the details are in (\S+\.log)", said)
    assert log is not None
    text = Path(log[1]).read_text()
    assert "Traceback" in text and "in raising" not in said
    assert f"pdloss {pdloss.__version__}" in text and r"['train', '--out', 'caf\udce9']" in text


def test_a_fault_without_a_place_for_its_details_is_one_line_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    verb(monkeypatch, raising(ZeroDivisionError()))
    assert cli.main(["train"]) == 70
    assert "PDLOSS_TRACEBACK=1 shows the details" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="needs pipes as POSIX has them")
def test_output_that_nobody_reads_any_more_ends_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pdloss", "data", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_into_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pdloss", "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("pdloss: No space left on device")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8", "cp932"])
def test_no_encoding_of_the_terminal_stops_the_output(encoding: str) -> None:
    program = (
        "import sys, types\n"
        "from pdloss.cli import main\n"
        "from rich.console import Console\n"
        "from rich.table import Table\n"
        "def show(argv):\n"
        "    print('PSNR \\u2191 \\u2013 caf\\u00e9 \\u26a1 caf\\udce9')\n"
        "    table = Table('LPIPS \\u2193'); table.add_row('0.5 \\u2026 1'); Console().print(table)\n"
        "    raise SystemError('caf\\udce9 \\u2191')\n"
        "sys.modules['pdloss.commands.train'] = types.SimpleNamespace(main=show)\n"
        "sys.exit(main(['train']))\n"
    )
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=environment, check=False)
    said, complained = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 70, complained
    first = said.splitlines()[0]
    arrow = {"utf-8": "↑", "cp932": "↑"}.get(encoding, "^")
    assert first.startswith(f"PSNR {arrow} ") and first.endswith(r"caf\xe9")
    assert "LPIPS" in said and "0.5" in said
    assert complained.startswith(r"pdloss: unexpected SystemError: caf\xe9")
