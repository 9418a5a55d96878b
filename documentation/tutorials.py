"""Tutorials are run when the site is built: what they print and draw stands below their code.

A tutorial is Markdown. Its blocks of ``python`` run one after the other in one namespace, those of ``console`` are
commands of pdloss, all in one empty folder. What they print follows as a block of its own; a picture that they wrote is
shown where the text has it. The outcome is kept under the hash of the text and of pdloss itself.
"""

import contextlib
import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```(python|console)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"!\[[^\]]*\]\(([\w./-]+)\)")


def digest_of(page: Path) -> str:
    """Returns the hash of a tutorial and of all code that it may run."""
    digest = hashlib.sha256(page.read_bytes())
    for path in sorted((ROOT / "src" / "pdloss").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def executed(page: Path, cache: Path) -> Path:
    """Returns the folder of a tutorial that was run: ``page.md`` and its pictures.

    Raises:
        RuntimeError: If a block of it fails; the message holds the block and what it said.
    """
    folder = cache / f"{page.stem}-{digest_of(page)}"
    if (folder / "page.md").exists():
        return folder
    for older in cache.glob(f"{page.stem}-*"):
        shutil.rmtree(older)
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        made = _run(text, Path(place))
        folder.mkdir(parents=True)
        for picture in set(_PICTURE.findall(text)):
            (folder / picture).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(place) / picture, folder / picture)
    (folder / "page.md").write_text(made, encoding="utf-8")
    return folder


def without_pictures(text: str) -> str:
    """Returns a tutorial that was not run, without the pictures that it would have made."""
    return _PICTURE.sub("", text)


def _run(text: str, place: Path) -> str:
    namespace: dict[str, object] = {"__name__": "tutorial"}

    def ran(block: re.Match[str]) -> str:
        language, code = block.groups()
        with contextlib.chdir(place), contextlib.redirect_stdout(io.StringIO()) as out:
            with contextlib.redirect_stderr(io.StringIO()) as err:
                try:
                    exec(code, namespace) if language == "python" else _commands(code)
                except BaseException as error:
                    raise RuntimeError(f"a block fails: {error!r}\n{code}\n{out.getvalue()}{err.getvalue()}") from error
        said = out.getvalue().rstrip().replace(str(place), "")
        return block[0] + (f"\n```text\n{said}\n```\n" if said else "")

    before = {name: os.environ.get(name) for name in ("PDLOSS_OFFLINE", "COLUMNS")}
    os.environ |= {"PDLOSS_OFFLINE": "1", "COLUMNS": "100"}
    try:
        return _BLOCK.sub(ran, text)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _commands(code: str) -> None:
    for line in code.replace("\\\n", " ").splitlines():
        if words := shlex.split(line.removeprefix("$ "), comments=True):
            # Of its own, so that what its own processes print is caught too.
            ended = subprocess.run(
                [sys.executable, "-m", "pdloss", *words[1:]], capture_output=True, text=True, check=False
            )
            print(ended.stdout, end="")
            if ended.returncode:
                raise RuntimeError(f"{line} ended with {ended.returncode}: {ended.stderr[-2000:]}")
