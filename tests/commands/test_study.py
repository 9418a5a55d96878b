"""``pdloss study`` as a user types it: from folders to answers."""

import json
import re
from pathlib import Path

import pytest

from pdloss.commands.study import main
from pdloss.errors import RunError, SpecError
from pdloss.study.folder import StudyFolder
from pdloss.study.records import Rules
from tests.study.studies_for_tests import BEGIN, given, make_study, running, write_folders


def test_from_folders_to_export_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import httpx

    folders = write_folders(tmp_path / "pictures")
    methods = [f"{name}={folder}" for name, folder in folders.items() if name != "target"]
    out = tmp_path / "study"
    options = ["--crop", "32", "--questions", "6", "--raters", "5", "--seed", "4", "--min-seconds", "0.7"]
    assert main(["design", *methods, "--target", str(folders["target"]), "--out", str(out), *options]) == 0
    said = capsys.readouterr().out
    assert "3 methods, 4 crops of 32 pixels, seed 4" in said
    assert re.search(r"60:40\D+194\D+97\D", said), said  # 194 answers to each of 3 pairs at 6 a rater
    assert StudyFolder(out).design.rules == Rules(min_seconds=0.7)
    with running(out, "--access", "tokens", "--raters", "2", "--url", "https://study.example/x") as server:
        address = f"http://127.0.0.1:{server.port}"
        assert server.admin.startswith("https://study.example/x/admin#")
        links = (out / "links.txt").read_text().split()
        assert len(set(links)) == 2
        assert (out / "links.txt").stat().st_mode & 0o077 == 0
        tokens = [link.removeprefix("https://study.example/x/#rater=") for link in links]
        begin = [
            httpx.post(f"{address}/api/begin", json={"nonce": f"nonce-{k:030d}", "token": token, **BEGIN})
            for k, token in enumerate((tokens[0], tokens[0], tokens[1]))
        ]
        assert [reply.status_code for reply in begin] == [200, 200, 200]
        assert begin[0].json()["key"] == begin[1].json()["key"] != begin[2].json()["key"]
        session = begin[0].json()
        key = {"Authorization": f"Bearer {session['key']}"}
        reply = httpx.post(f"{address}/api/answer", json=given(session, 0), headers=key)
        assert reply.json() == {"position": 1}
        assert "server" not in reply.headers
        assert main(["export", str(out), "--out", str(tmp_path / "export")]) == 0  # while it runs
    assert len(json.loads((tmp_path / "export" / "answers.json").read_text())) == 1
    assert len((tmp_path / "export" / "raters.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["sevre"], "unknown verb 'sevre' of pdloss study; did you mean 'serve'"),
        (["design", "a", "--target", "t", "--out", "o"], "expected METHOD=DIR, such as pdl=restored/pdl, got 'a'"),
        (["design", "a=x", "a=y", "--target", "t", "--out", "o"], "two methods are called 'a'"),
        (["serve", "s", "--raters", "0"], "--raters 0: expected 1 to 1000000"),
        (["serve", "s", "--access", "tokens", "--raters", "1000001"], "--raters 1000001: expected 1 to 1000000"),
        (["serve", "s", "--raters", "9"], "--raters limits nothing where everybody is let in"),
        (["serve", "s", "--port", "70000"], "--port 70000: expected 1 to 65535"),
        (["serve", "s", "--url", "x.org"], "--url x.org: expected the whole address, such as https://x.org"),
        (["serve", "s", "--rate", "0"], "--rate 0: it must be above 0"),
    ],
)
def test_slips_on_the_command_line_are_named(argv: list[str], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        main(argv)


def test_no_study_is_served_where_there_is_none_or_it_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"design\.json does not exist"):
        main(["serve", str(tmp_path)])
    path = make_study(tmp_path)
    next((path / "crops").iterdir()).unlink()
    with pytest.raises(RunError, match="cannot read .*No such file or directory"):
        main(["serve", str(path)])


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    import socket

    from pdloss.errors import UserError

    path = make_study(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"cannot listen at 127.0.0.1, port {port}: .*choose another with --port"):
            main(["serve", str(path), "--port", str(port)])
    for host in ("192.0.2.1", "[no name]"):
        with pytest.raises(UserError, match="cannot listen at .*give an address of this machine with --host"):
            main(["serve", str(path), "--host", host, "--port", "0"])


def test_who_listens_everywhere_is_told_to_name_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_study(tmp_path)
    monkeypatch.setattr("pdloss.study.serving.server.serve", lambda api, host, port, say, *_: say("http://0.0.0.0:1/"))
    main(["serve", str(path), "--host", "0.0.0.0"])
    assert "give that with --url" in capsys.readouterr().out
    main(["serve", str(path), "--host", "0.0.0.0", "--url", "https://study.example"])
    said = capsys.readouterr().out
    assert "give that" not in said
    assert "raters: https://study.example/\n" in said


def test_nothing_is_exported_of_a_study_never_served(tmp_path: Path) -> None:
    path = make_study(tmp_path)
    with pytest.raises(RunError, match="has no answers yet; pdloss study serve"):
        main(["export", str(path)])
    assert not (path / "study.sqlite").exists()


def test_the_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, status in ((["--help"], 0), ([], 2)):
        assert main(arguments) == status
        said = capsys.readouterr().out
        assert [verb for verb in ("design", "serve", "export", "analyse", "simulate") if f"  {verb} " not in said] == []
