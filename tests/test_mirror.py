"""The tests mirror the source tree: whoever changes a module finds its tests in one guess."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "src" / "pdloss", ROOT / "tests"
ELSEWHERE = {
    "features/imagenet": "features/test_alexnet",  # a base without a network of its own; test_squeezenet is the other
    "report/panels": "report/test_page",  # which drawings the page has
    "study/analysis/distributions": "study/analysis/test_preferences",  # SciPy's names, and nothing else
}
"""Modules whose tests are those of another one, and why."""


def modules() -> set[str]:
    """Every module by its path in the package, without a leading underscore; a room's own file is not among them."""
    paths = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py"))
    return {path.as_posix() for path in paths if path.name not in ("__init__", "__main__", "_types")}


def files_of_tests() -> dict[str, Path]:
    """Every file of tests by the module that it would be of."""
    return {
        path.relative_to(TESTS).with_name(path.stem.removeprefix("test_")).as_posix(): path
        for path in TESTS.rglob("test_*.py")
        if "oracles" not in path.parts
    }


def test_every_module_has_a_file_of_tests_in_the_same_place() -> None:
    assert sorted(modules() - files_of_tests().keys() - ELSEWHERE.keys()) == []


def test_what_is_tested_elsewhere_has_no_file_of_its_own_and_is_tested_there() -> None:
    there = modules()
    for module, file in ELSEWHERE.items():
        assert module not in files_of_tests(), f"{module} has tests of its own: take it off the list"
        assert module not in there or (TESTS / f"{file}.py").is_file(), module


def test_a_file_of_tests_that_is_no_modules_lies_in_a_room_and_says_its_idea() -> None:
    rooms = {module.rpartition("/")[0] for module in modules()}
    of_rooms = {f"{room}/{room.rpartition('/')[2]}" for room in rooms}
    for name, path in files_of_tests().items():
        assert name.rpartition("/")[0] in rooms, f"{path} lies in no room of the package"
        if name not in modules() | of_rooms:
            assert re.match(r'"""[A-Z].*[.:;,]', path.read_text(encoding="utf-8")), f"{path} does not say its idea"
