"""The tests mirror the source tree: whoever changes a module finds its tests in one guess."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "src" / "pdloss", ROOT / "tests"
ELSEWHERE = {
    "assets/places": "commands/test_assets",
    "benchmarking/options": "benchmarking/test_loss_costs",
    "commands/sweeping": "commands/test_sweep",
    "commands/export": "exporting/test_subject",
    "commands/training_display": "commands/test_train",
    "commands/version": "test_cli",
    "conformance/kinds": "conformance/test_checks",
    "devices/choosing": "devices/test_devices",
    "devices/precision": "devices/test_devices",
    "evaluation/defaults": "commands/test_evaluate",
    "exporting/graphs": "exporting/test_parity",
    "exporting/onnx": "exporting/test_parity",
    "exporting/weights": "exporting/test_parity",
    "lazy_names": "test_packaging",
    "files/checksums": "assets/test_fetching",
    "files/lists": "evaluation/test_frozen_sets",
    "files/options": "commands/test_replacing",
    "metrics/channel_weights": "metrics/test_lpips",
    "report/panels": "report/test_page",
    "specs/options": "training/test_configuration",
    "study/analysis/coherence": "study/analysis/test_result",
    "study/planning/protocol": "study/planning/test_design",
    "study/serving/access": "study/serving/test_security",
    "sweeps/queue": "sweeps/test_slots",
    "training/trainer": "training/test_loop",
    "training/presets": "training/test_recipes",
    "training/recording": "training/test_setup",
    "training/trial": "training/test_preparation",
    "training/watching": "training/loggers/test_choosing",
}
"""Modules whose tests are those of another one: what they hand on, or are a part of."""


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
    rooms = {module.rpartition("/")[0] for module in modules()} | {"fuzz", "documentation"}  # of all rooms
    of_rooms = {f"{room}/{room.rpartition('/')[2]}" for room in rooms}
    for name, path in files_of_tests().items():
        assert name.rpartition("/")[0] in rooms, f"{path} lies in no room of the package"
        if name not in modules() | of_rooms:
            assert re.match(r'"""[A-Z].*[.:;,]', path.read_text(encoding="utf-8")), f"{path} does not say its idea"
