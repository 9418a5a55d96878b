"""Command lines made of the verbs' own options, with wrong and absurd values, in this process."""

import contextlib
import hashlib
import io
import os
import random
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pdloss.cli import main
from tests.fuzz.findings import Findings, HangError, no_hang

NETWORK = "edsr(blocks=1,width=4)"
BASES = {
    "train": f"--data data --out new --loss l1 --steps 1 --batch 1 --crop 16 --network {NETWORK}",
    "evaluate": "run --data data --metrics psnr",
    "score": "data data --metrics psnr",
    "compare": "run run2",
    "restore": "data/photo0.png --model run --out new",
    "report": "run run2 --out new",
    "figure crops": "run run2 --out new",
    "degrade": "--data data --out new --degradation noise(sigma=0.1)",
    "calibrate": f"--data data --loss l1+l2 --share 0.5 --batches 1 --batch 1 --crop 16 --network {NETWORK}",
    "conformance": "pdloss.losses:L1",
    "niqe fit": "data --out new/niqe.safetensors",
    "convert": "srn data/photo0.png --out new/srn.safetensors",
    "sweep": "plan.toml --dry-run",
    "data list": "",
    "assets list": "",
    "study design": "run b=run2/restored/photographs --out new --crop 16 --questions 3 --repeats 1",
    "study analyse": "answers.csv --out new",
    "models list": "",
    "study simulate": "study --preferences a=0.4,b=-0.4 --raters 3 --out new/answers.csv",
    "study export": "study --out new",
}
"""A sound command of every verb, small enough to be run should the absurd value not matter to it. Bench, probe and
distill compute for minutes, and a server serves until it is stopped."""
ABSURD = [
    "", " ", "-1", "0", "nan", "-inf", "1e400", "1.5", "ten", "0x10", "1_0", "٣", "None", "True", "[]", "{}", "a,b,,",
    ",", "l1 + ", "l1 +* l2", "(((((", "1*" * 70 + "l1", "pdl(features='x')", "pdl(p=-1)", "edsr(blocks=-1)", "edsr(",
    "nosuch", "noise(sigma=nan)", "noise(sigma=5..1)", "jpeg(quality=900)", "subprocess:getoutput(cmd='touch harm')",
    "os:remove", "../../outside", "..", "/", "~nobody/x", "a\0b", "x" * 300, "x" * 30000, "\udcff", "é\n%#[", "data",
    "data/photo0.png", "data/photo0.png/x", "/dev/null", "run", "run/config.json", "missing", "*", "[", "=", "--", "-",
    "-x",
]  # fmt: skip
FAR = ("18446744073709551616", "-9223372036854775809", "1000000000000")
"""For what does not say how long to compute."""
LONG = re.compile(r"steps|repeats|batch|images|questions|raters|workers|training|cheaters|catch|identical|accumulate")


@cache
def options_of(verb: str) -> tuple[str, ...]:
    """Returns the options that a verb's help shows."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([*verb.split(), "--help"])
    return tuple(sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", said.getvalue())) - {"--help"}))


def made_up(chance: random.Random) -> list[str]:
    """Returns a command line: a sound one in which one thing or two are not."""
    verb = chance.choice(sorted(BASES))
    words = BASES[verb].split()
    for _ in range(chance.randint(1, 2)):
        option = chance.choice([*options_of(verb), "--nosuch"])
        value = chance.choice([*ABSURD, *(() if LONG.search(option) else FAR)])
        match chance.randrange(6):
            case 0 if words:
                words[chance.randrange(len(words))] = value
            case 1 if words:
                del words[chance.randrange(len(words))]
            case 2:
                words += [option]
            case 3:
                words += [f"{option}={value}"]
            case _:
                words += [option, value]
    return [*verb.split(), *words]


def contents(folder: Path, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Returns the digest of every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    named = ((path.relative_to(folder).as_posix(), path) for path in files)
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named if not name.startswith(but)}


def try_commands(work: Path, outside: Path, count: int, seed: int) -> tuple[Findings, list[str]]:
    """Runs made-up commands in a working folder; returns what was found, and those that were taken.

    Nothing outside it, and none of the photographs, runs and studies that stand in it, may be changed or removed.
    """
    chance, findings, taken = random.Random(seed), Findings(), []
    before, around = contents(work), contents(outside)
    for _ in range(count):
        command = made_up(chance)
        findings.tried += 1
        status, said = _status(command, work)
        shown = " ".join(ascii(word)[1:-1][:60] or "''" for word in command)
        if status not in (0, 1, 2) or "Traceback" in said:
            findings.faults.append(f"{shown}: {status} {said[-300:]}")
        after = contents(work)
        findings.faults += [f"{shown}: {harm}" for harm in _harm(before, after, command)]
        findings.faults += [f"{shown}: wrote outside"] if contents(outside) != around else []
        before = after
        shutil.rmtree(work / "new", ignore_errors=True)
        findings.refused += status != 0
        findings.unchanged += status == 0
        taken += [shown] if status == 0 else []
    return findings, taken


def _harm(before: Mapping[str, str], after: Mapping[str, str], command: list[str]) -> list[str]:
    """What was changed or removed of what stood there, other than what the verb keeps of its own."""
    again = "--overwrite" in command or "--again" in command
    own = re.compile(r"(.*/)?\.pdloss\.jsonl$|new/" + (r"|run2?/" if again else r"|run2?/(scores|restored|degraded)/"))
    return [f"changed {name}" for name in before if after.get(name) != before[name] and not own.match(name)]


def _status(command: list[str], work: Path) -> tuple[object, str]:
    said, here = io.StringIO(), Path.cwd()
    os.chdir(work)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said), no_hang():
            return main(command), said.getvalue()
    except SystemExit as ended:
        return ended.code, said.getvalue()
    except HangError as error:
        return "hang", str(error)
    except BaseException as error:
        return type(error).__name__, str(error)
    finally:
        os.chdir(here)
