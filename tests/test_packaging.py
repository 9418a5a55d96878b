"""What is installed: complete, importable without the extras, cheap to import, pinned."""

import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pdloss

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "pdloss"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files in a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def direct(project: dict) -> list[Requirement]:
    """Everything that pyproject.toml asks for by name, extras included."""
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    return [requirement for requirement in map(Requirement, texts) if requirement.name != "pdloss"]


@pytest.fixture(scope="module")
def pinned() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def python(code: str) -> str:
    """Runs code in a fresh interpreter and returns what it prints."""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


PUBLIC = {
    "TrainConfig": "pdloss.training.configuration.TrainConfig",
    "train": "pdloss.training.loop.train",
    "evaluate": "pdloss.evaluation.evaluator.evaluate",
    "restore": "pdloss.restoration.single.restore",
    "restore_files": "pdloss.restoration.files.restore_files",
}


@pytest.mark.parametrize("name", PUBLIC)
def test_what_trains_evaluates_and_restores_is_public(name: str) -> None:
    home, _, original = PUBLIC[name].rpartition(".")
    assert name in pdloss.__all__ and name in dir(pdloss)
    assert getattr(pdloss, name) is getattr(importlib.import_module(home), original)


@pytest.mark.parametrize("name", ["metrics", "degradations", "models", "networks"])
@pytest.mark.parametrize("asked", ["import pdloss; room = pdloss.{}", "from pdloss import {} as room"])
def test_a_public_room_is_there_without_being_imported_by_its_own_name(asked: str, name: str) -> None:
    assert name in pdloss.__all__
    assert python(f"{asked.format(name)}\nprint(room.__name__, len(room.__all__) > 2)") == f"pdloss.{name} True\n"


def test_importing_the_package_imports_nothing_else() -> None:
    loaded = "{name.partition('.')[0] for name in sys.modules} & {'torch', 'numpy', 'tyro', 'msgspec'}"
    inside = "[name for name in sys.modules if name.startswith('pdloss.')]"
    assert python(f"import sys, pdloss\nprint({loaded} or 'none', {inside})") == "none []\n"


@pytest.mark.parametrize(
    "package", ["benchmarking", "conformance", "devices", "evaluation", "models", "restoration", "study.simulation"]
)
def test_a_package_that_hands_on_names_when_asked_has_all_that_its_own_code_says(package: str) -> None:
    module = importlib.import_module(f"pdloss.{package}")
    said = re.findall(r"^    from (\S+) import \w+ as (\w+)$", Path(module.__file__).read_text(), re.M)
    assert sorted(name for _, name in said) == module.__all__ and set(module.__all__) <= set(dir(module))
    for home, name in said:
        assert getattr(module, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        getattr(module, "nothing")  # noqa: B009


def test_the_wheel_holds_every_file_of_the_package(wheel: set[str]):
    ours = {p.relative_to(ROOT / "src").as_posix() for p in PACKAGE.rglob("*") if p.is_file()}
    assert {name for name in ours if "__pycache__" not in name} == {n for n in wheel if n.startswith("pdloss/")}


@pytest.mark.parametrize("file", ["features/distilled.safetensors", "report/templates/report.html.j2", "py.typed"])
def test_the_wheel_holds_what_is_not_python(wheel: set[str], file: str):
    assert f"pdloss/{file}" in wheel


def test_every_module_imports_without_the_extras(project: dict, direct: list[Requirement]):
    core = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    extras = {canonicalize_name(requirement.name) for requirement in direct} - core
    hidden = [
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if {canonicalize_name(owner) for owner in owners} & extras
    ]
    assert {"jinja2", "matplotlib", "skimage", "tensorboard"} <= set(hidden)
    imported = python(f"""
import importlib, pkgutil, sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"{{name}} is hidden", name=name)

sys.meta_path.insert(0, Hide())
import pdloss
for module in pkgutil.walk_packages(pdloss.__path__, "pdloss."):
    if module.name != "pdloss.__main__":
        print(importlib.import_module(module.name).__name__)
""").split()
    assert {"pdloss.losses", "pdloss.training.loop", "pdloss.report.page", "pdloss.commands.train"} <= set(imported)


def test_neither_the_package_nor_the_help_imports_torch():
    assert python("import sys, pdloss; print('torch' in sys.modules)") == "False\n"
    help_code = "import sys; from pdloss.cli import main; assert main(['--help']) == 0; print('torch' in sys.modules)"
    assert python(help_code).splitlines()[-1] == "False"


def test_torchvision_is_not_used(direct: list[Requirement], pinned: dict[str, str]):
    importing = re.compile(r"^\s*(?:import\s+torchvision\b|from\s+torchvision[\w.]*\s+import)", re.MULTILINE)
    assert importing.search("    from torchvision import models")
    assert [path.name for path in PACKAGE.rglob("*.py") if importing.search(path.read_text(encoding="utf-8"))] == []
    assert "torchvision" not in {*pinned, *(requirement.name for requirement in direct)}


def test_constraints_pin_every_direct_dependency_to_a_version_that_is_allowed(
    direct: list[Requirement], pinned: dict[str, str]
):
    assert len(direct) > 15
    assert [str(r) for r in direct if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))] == []


def test_the_newest_changelog_entry_and_the_citation_are_of_this_version():
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    cited = re.search(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert cited
    assert newest[1] == cited[1] == pdloss.__version__ == importlib.metadata.version("pdloss")
