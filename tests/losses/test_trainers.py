"""What every loss promises in other people's trainers: wrapped, sharded, checkpointed, under autocast."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.losses.every import CRITICS, EVERY, OF_BATCHES

WRAPPED = """
import json, os, sys, pytest, torch
from pathlib import Path
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint
from pdloss.losses import objective
from tests.losses.every import pair
from tests.losses.random_weights import use_random_weights


class Trainer(nn.Module):
    "A network and its loss in one module, as Lightning has them."

    def __init__(self, loss):
        super().__init__()
        torch.manual_seed(5)
        self.network, self.loss = nn.Conv2d(3, 3, 3, padding=1), loss

    def forward(self, degraded, target):
        return self.loss(degraded + self.network(degraded), target)


class Checkpointed(Trainer):
    def forward(self, degraded, target):
        restored = checkpoint(lambda images: images + self.network(images), degraded, use_reentrant=False)
        return checkpoint(self.loss, restored, target, use_reentrant=False)


def built(text):
    torch.manual_seed(0)
    return objective(text).build().terms[0]


def slope(trainer, network, images):
    value = trainer(*images)
    value.backward()
    gradients = [p.grad.full_tensor() if hasattr(p.grad, "full_tensor") else p.grad for p in network.parameters()]
    return value.item(), torch.cat([gradient.flatten() for gradient in gradients])


def work(rank, folder, texts):
    Path(folder, str(rank)).mkdir()
    use_random_weights(Path(folder, str(rank)), pytest.MonkeyPatch())
    torch.set_num_threads(1)
    store = torch.distributed.FileStore(os.path.join(folder, "store"), 2)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2, store=store)
    mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (2,))
    images = pair(torch.Generator().manual_seed(0))
    part = [whole.chunk(2)[rank] for whole in images]
    for text in texts:
        found = {}
        plain = Trainer(built(text))
        found["alone"] = slope(plain, plain.network, images)
        trainer = Trainer(built(text))
        wrapped = DistributedDataParallel(trainer, find_unused_parameters=any(True for _ in trainer.loss.parameters()))
        found["DDP"] = slope(wrapped, trainer.network, part)
        trainer = Trainer(built(text))
        fully_shard(trainer.network, mesh=mesh)
        fully_shard(trainer, mesh=mesh, ignored_params=set(trainer.loss.parameters()))
        found["FSDP"] = slope(trainer, trainer.network, part)
        for name, loss in (("checkpointed", built(text)), ("autocast", built(text))):
            trainer = (Checkpointed if name == "checkpointed" else Trainer)(loss)
            with torch.autocast("cpu", torch.bfloat16, enabled=name == "autocast"):
                found[name] = slope(trainer, trainer.network, [each.contiguous(memory_format=torch.channels_last)
                                                               for each in images])
        values = {name: value for name, (value, _) in found.items()}
        expected = found["alone"][1]
        off = {name: ((gradient - expected).norm() / expected.norm()).item() for name, (_, gradient) in found.items()}
        if rank == 0:
            print(json.dumps([text, values, off]), flush=True)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    work(int(sys.argv[2]), sys.argv[1], json.loads(Path(sys.argv[1], "texts").read_text()))
"""

ROOT = Path(__file__).parents[2]
DRAWN_ANEW = [
    "pdl(features='distilled.relu3_3', projection='sphere', ratio=0.1, redraw=True)",
    "pdl(features='distilled.relu3_3', offset=4)",
]
"""Draw for every value; what is computed once more in a backward pass must draw the same."""
TEXTS = [*(text for text in EVERY if "projection=" not in text), *DRAWN_ANEW]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """Of every loss, its value and how far the gradient is off, relatively, by the wrapping; two processes in all.

    In processes of their own: what checks shapes in the tests can be neither traced nor wrapped.
    """
    folder = tmp_path_factory.mktemp("wrapped")
    (folder / "script.py").write_text(WRAPPED)
    (folder / "texts").write_text(json.dumps(TEXTS))
    paths = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, "-W", "ignore", str(folder / "script.py"), str(folder)]
    both = [
        subprocess.Popen([*command, str(rank)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=paths)
        for rank in range(2)
    ]
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], said[0][1][-3000:] + said[1][1][-3000:]
    return {text: (values, off) for text, values, off in map(json.loads, said[0][0].splitlines())}


@pytest.mark.parametrize("text", TEXTS)
class TestEveryLoss:
    @pytest.mark.parametrize("wrapping", ["DDP", "FSDP"])
    def test_two_processes_have_the_gradient_of_one(self, text: str, wrapping: str, measured: dict) -> None:
        values, off = measured[text]
        if text in OF_BATCHES:
            assert 0 < off[wrapping] < 10, "there is a gradient, of another batch"
        else:
            assert off[wrapping] < 1e-3
        assert values[wrapping] > 0

    def test_checkpointing_changes_nothing(self, text: str, measured: dict) -> None:
        values, off = measured[text]
        assert values["checkpointed"] == pytest.approx(values["alone"], rel=1e-4)
        assert off["checkpointed"] < (0.2 if text in CRITICS else 1e-3)

    def test_autocast_changes_little(self, text: str, measured: dict) -> None:
        values, off = measured[text]
        assert values["autocast"] == pytest.approx(values["alone"], rel=0.1, abs=1e-4)
        assert off["autocast"] < 1
