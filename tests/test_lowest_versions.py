"""What the test of the lowest versions installs."""

import importlib.util
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_lower_bound_of_the_tested_rooms_is_taken() -> None:
    spec = importlib.util.spec_from_file_location("lowest_versions", ROOT / "benchmarks" / "lowest_versions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(text for extra in module.EXTRAS for text in project["optional-dependencies"][extra]),
    ]
    assert len(module.lowest(asked)) == len({text.partition(">")[0] for text in asked})
    assert module.lowest(["numpy>=2.0", "psycopg[binary]>=3.2.1", "pdloss[report]"]) == {
        "numpy": "2.0",
        "psycopg[binary]": "3.2.1",
    }
