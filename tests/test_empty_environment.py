"""Wheel and sdist, what is done with them in an empty environment; and the recipes for Docker and conda."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.empty_environment import Options, built, commands

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_a_wheel_and_an_sdist_are_built_and_installed_with_the_versions_asked_for(tmp_path: Path) -> None:
    packages = built(tmp_path)
    assert [packages[kind].name.rpartition("-")[0].partition("-")[0] for kind in ("lowest", "newest")] == ["pdloss"] * 2
    for kind in ("lowest", "newest"):
        steps = commands(Options(hold=("torch==2.6",)), kind, packages[kind], tmp_path / kind)
        install = next(step for step in steps if "install" in step)
        named = [word for word in ("numpy>=2.0", "starlette>=0.40", "lowest-direct") if word in install]
        assert len(named) == (3 if kind == "lowest" else 0)
        assert [word for word in install if word.startswith("torch")] == ["torch==2.6"], "held, not the lowest"
        assert f"pdloss[report,study] @ {packages[kind].as_uri()}" in install
        assert "torch==2.6" in install
        inside = str(tmp_path / kind / "environment")
        assert all(step[0].startswith(inside) for step in steps if step[0] != "uv"), "what was installed is what runs"


def test_the_recipes_of_docker_and_conda_admit_the_versions_that_we_do(project: dict) -> None:
    extras = project["optional-dependencies"]
    ours = {each.name.lower(): str(each.specifier) for each in map(Requirement, [
        *project["dependencies"], *extras["report"], *extras["study"]])}  # fmt: skip
    also = {"pytorch": "torch", "matplotlib-base": "matplotlib", "msgspec-python": "msgspec"}
    for file in ("Dockerfile", "conda.yml"):
        text = (ROOT / "packaging" / file).read_text(encoding="utf-8")
        named = re.findall(r"[\"\s]([a-z][\w-]*)(?:\[\w+\])?(>=[\d.]+)", text)
        assert len(named) > 10
        wrong = [(name, low) for name, low in named if name != "python" and ours[also.get(name, name)] != low]
        assert wrong == [], file


def test_the_study_in_docker_needs_no_more_than_its_recipe_installs(project: dict) -> None:
    text = (ROOT / "packaging" / "Dockerfile").read_text(encoding="utf-8")
    installed = set(re.findall(r'"([a-z0-9]+)(?:\[\w+\])?>=', text))
    wanted = {Requirement(each).name.lower() for each in project["optional-dependencies"]["study"]}
    assert wanted <= installed
    assert "torch" not in installed


def test_every_python_that_is_named_is_tried_weekly(project: dict) -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    (tried,) = re.findall(r"^for version in (.*); do$", (ROOT / ".ci" / "weekly").read_text(encoding="utf-8"), re.M)
    assert tried.split() == named and f">={named[0]}" == project["requires-python"]
    (image,) = re.findall(r"^FROM python:(3\.\d+)", (ROOT / "packaging" / "Dockerfile").read_text("utf-8"), re.M)
    assert image in named


def test_what_other_programs_hold_back_is_free_in_their_environment_and_pinned_in_ours() -> None:
    weekly = (ROOT / ".ci" / "weekly").read_text(encoding="utf-8")
    (freed,) = re.findall(r"grep -v '\^(\w+)==' constraints.txt", weekly)
    assert re.search(rf"^{freed}==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)
    assert not re.search(r"^\.venv/bin/\S+ -m pip install .*elsewhere", weekly, re.M), "ours stays as it was set up"
    for folder in re.findall(r"\btests/[\w/.]+", weekly):
        assert (ROOT / folder).exists(), folder
