"""Runs the tests of the rooms that need no torch with the lowest versions that pyproject.toml admits.

    python benchmarks/lowest_versions.py

Installs them into a folder of their own, before the environment's; the environment stays as it is.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("report", "study")
LEFT_OUT = ("torch",)
"""Large, and not imported by what is tested here."""
TESTS = ("tests/study", "tests/report", "tests/statistics", "tests/comparison")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is tested."""

    tests: tuple[str, ...] = TESTS
    """Folders or files of tests."""
    only: tuple[str, ...] = ()
    """Packages taken at their lowest; by default all."""
    select: str = "not browser"
    """Which of the tests, as pytest's -k."""


def lowest(requirements: Iterable[str]) -> dict[str, str]:
    """Returns the lowest version of each package, by its name with its extras.

    Example:
        >>> lowest(["numpy>=2.0", "psycopg[binary]>=3.2", "pdloss[report]"])
        {'numpy': '2.0', 'psycopg[binary]': '3.2'}
    """
    found = (re.fullmatch(r"([A-Za-z0-9_.-]+(?:\[[a-z,]+\])?)>=([0-9.]+)", text) for text in requirements)
    return {match[1]: match[2] for match in found if match}


def main(options: Options) -> int:
    """Installs, says what is tested, and returns pytest's exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(text for name in EXTRAS for text in project["optional-dependencies"][name])]
    versions = {name: version for name, version in lowest(asked).items() if name not in LEFT_OUT}
    if options.only:
        versions = {name: version for name, version in versions.items() if name.partition("[")[0] in options.only}
    with tempfile.TemporaryDirectory() as folder:
        wanted = [f"{name}=={version}" for name, version in versions.items()]
        print(" ".join(wanted), flush=True)
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--target", folder]
        subprocess.run([*install, *wanted], check=True)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([folder, str(ROOT / "src"), str(ROOT)])}
        # Old packages warn of what new Pythons and NumPys no longer like: that is theirs to mend.
        # The checker of shapes is part of the tests' own tools, and taken as the environment has it, or not at all.
        plain = ["-o", "addopts=--import-mode=importlib", "-W", "default", "-q"]
        tests = [sys.executable, "-m", "pytest", *plain, "-k", options.select, *options.tests]
        return subprocess.run(tests, check=False, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
