"""A loss is registered in one place, and everything that lists losses follows."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pdloss.losses

ROOT = Path(__file__).parents[2]

DUMMY = """
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from pdloss.losses.choice import LossChoice
from pdloss.losses.pixel import PixelLoss

__all__ = ["Dummy", "DummyLoss", "dummy_loss"]


def dummy_loss(restored: Tensor, target: Tensor, *, times: int = 1) -> Tensor:
    return times * (restored - target).abs().mean((1, 2, 3))


class DummyLoss(PixelLoss):
    def __init__(self, *, times: int = 1) -> None:
        super().__init__()
        self.times = times

    def forward(self, restored: Tensor, target: Tensor) -> Tensor:
        self.check(restored, target)
        return dummy_loss(restored, target.detach(), times=self.times).mean()


@dataclass(frozen=True)
class Dummy(LossChoice, name="dummy", module=DummyLoss):
    \"\"\"A loss made up for this test.\"\"\"

    times: Literal[1, 2] = 1
"""

SEEN = """
import json
import pdloss, torch
from pdloss.benchmarking.loss_costs import default_losses
from pdloss.losses import LOSSES, objective, table
from tests.losses.every import DISTANCES

black = torch.zeros(1, 3, 4, 4)
summed = objective("l1 + 0.5*dummy(times=2)")
print(json.dumps({
    "value": summed.build()(black + 1, black).total.item(),
    "again": str(pdloss.L1() + 0.5 * pdloss.Dummy(times=2)) == str(summed),
    "family": "dummy" in LOSSES.table,
    "public": sorted(name for name in pdloss.__all__ if "ummy" in name),
    "function": pdloss.dummy_loss(black + 1, black).tolist(),
    "contract": [text for text in DISTANCES if "dummy" in text],
    "bench": [text for text in default_losses("distilled") if "dummy" in text],
    "page": [line for line in table.page().splitlines() if "ummy" in line or "`times`" in line],
}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a copy of the package with one file and one line more knows of its new loss."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(Path(pdloss.__file__).parent, copy / "pdloss", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "pdloss/losses/dummy.py").write_text(DUMMY)
    package = copy / "pdloss/losses/__init__.py"
    text = package.read_text()
    line = "from pdloss.losses.choice import *\n"
    package.write_text(text.replace(line, line + "from pdloss.losses.dummy import *\n"))
    assert len(package.read_text().splitlines()) == len(text.splitlines()) + 1
    places = os.environ | {"PYTHONPATH": os.pathsep.join([str(copy), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=False, env=places)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_file_and_a_line_make_a_loss_known_everywhere(seen: dict[str, object]) -> None:
    assert seen["value"] == 2
    assert seen["again"]
    assert seen["family"]
    assert seen["public"] == ["Dummy", "DummyLoss", "dummy_loss"]
    assert seen["function"] == [1]
    assert seen["bench"] == ["l1 + 0.01*dummy"]
    assert seen["page"] == [
        "| [`dummy`](#dummy) | `Dummy` | `DummyLoss` | A loss made up for this test. |",
        "## dummy",
        "| `times` | `1` | `1`, `2` |",
    ]


def test_the_contract_tests_hold_a_new_loss_to_their_promises(seen: dict[str, object]) -> None:
    assert seen["contract"] == ["dummy", "dummy(times=2)"]


def test_every_public_name_of_the_losses_is_one_of_the_package() -> None:
    assert set(pdloss.losses.__all__) < set(pdloss.__all__)
    assert all(getattr(pdloss, name) is getattr(pdloss.losses, name) for name in pdloss.losses.__all__)
    assert {"PDL", "ProjectedDistributionLoss", "projected_distribution_loss", "objective"} < set(pdloss.__all__)
    with pytest.raises(AttributeError, match="no attribute 'checks'"):
        _ = pdloss.checks


def test_asking_for_a_module_of_the_package_loads_no_loss() -> None:
    asked = "import sys; from pdloss import specs, records; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", asked], check=True)
