"""The loss in other people's trainers: the examples run, and train to the weights that our own loop gives."""

import importlib.util
import re
import sys
import types
from pathlib import Path

import pytest
import torch
from torch import nn

from pdloss.datasets import Crops, Photographs, batches
from pdloss.degradations import parse
from pdloss.losses import LOSSES, objective
from pdloss.networks import network
from pdloss.training.loop import train
from tests.runs_for_tests import config, final_weights, photographs_in
from tests.test_examples import EXAMPLES, example

TEXT = "l1 + 0.0003*pdl(features='distilled.relu3_3')"
STEPS = 20


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[list, dict, nn.Module]:
    """The batches of a training of twenty steps, its last weights, and its network as it began."""
    folder = tmp_path_factory.mktemp("elsewhere")
    data = photographs_in(folder / "data")
    options = config(data, folder / "run", loss=TEXT, steps=STEPS, degradation="noise(sigma=0.1)", crop=32,
                     schedule="constant")  # fmt: skip
    begun = config(data, folder / "begun", loss=TEXT, steps=1, lr=1e-30, degradation="noise(sigma=0.1)", crop=32)
    train(options)
    train(begun)
    start = network(options.network)
    start.load_state_dict(final_weights(folder / "begun"))
    crops = Crops(Photographs(data), parse("noise(sigma=0.1)"), size=32, seed=0, batch=2)
    steps = [(batch.degraded, batch.target) for batch in batches(crops, 0, STEPS, 0)]
    return steps, final_weights(folder / "run"), start


def assert_same_weights(trained: nn.Module, expected: dict) -> None:
    for name, tensor in trained.state_dict().items():
        torch.testing.assert_close(tensor.cpu(), expected[name], rtol=0, atol=1e-5)


def fresh(ours: tuple) -> nn.Module:
    return __import__("copy").deepcopy(ours[2])


def test_a_loop_of_ones_own_trains_to_the_same_weights(ours: tuple) -> None:
    steps, expected, _ = ours
    restorer, criterion = fresh(ours), objective(TEXT).build()
    optimiser = torch.optim.Adam(restorer.parameters(), 1e-3)
    for degraded, target in steps:
        optimiser.zero_grad()
        criterion(restorer(degraded), target).total.backward()
        optimiser.step()
    assert_same_weights(restorer, expected)
    assert (restorer.head.weight - ours[2].head.weight).abs().max() > 1e-3, "it moved"


@pytest.mark.filterwarnings("ignore")  # of Lightning about itself
def test_lightning_trains_to_the_same_weights_and_logs_the_terms(ours: tuple) -> None:
    lightning = pytest.importorskip("lightning")
    steps, expected, _ = ours
    made = example("lightning_training")
    module = made.Restorer(fresh(ours), TEXT)
    trainer = lightning.Trainer(callbacks=[made.LogTerms()], max_epochs=1, logger=False, enable_checkpointing=False,
                                accelerator="cpu", enable_progress_bar=False, enable_model_summary=False)  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(steps, batch_size=None))
    assert_same_weights(module.network, expected)
    assert set(trainer.callback_metrics) == {"train/l1", "train/pdl", "train/total"}


@pytest.mark.filterwarnings("ignore")  # of accelerate about itself
def test_accelerate_trains_to_the_same_weights(ours: tuple) -> None:
    pytest.importorskip("accelerate")
    steps, expected, _ = ours
    restorer = fresh(ours)
    losses = example("accelerate_training").fit(restorer, torch.utils.data.DataLoader(steps, batch_size=None), TEXT)
    assert len(losses) == STEPS
    assert_same_weights(restorer, expected)


def test_a_loss_of_deepinv_is_the_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    package, losses = types.ModuleType("deepinv"), types.ModuleType("deepinv.loss")
    losses.Loss = nn.Module  # whose forward takes (x_net, x, y, physics, model, **kwargs), as its documentation says
    for name, module in (("deepinv", package), ("deepinv.loss", losses)):
        monkeypatch.setitem(sys.modules, name, module)
    loss = example("deepinv_loss").PdlossLoss(TEXT)
    restored, target = torch.rand(2, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    value = loss(restored, target, y=target, physics=None, model=None, epoch=3)
    torch.testing.assert_close(value, objective(TEXT).build()(restored, target).total)


def test_a_trainer_built_on_basicsr_finds_the_losses_when_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    registry: dict[str, type] = {}

    class Registry:
        def register(self, kind):
            registry[kind.__name__] = kind

        def __contains__(self, name):
            return name in registry

    modules = {name: types.ModuleType(name) for name in ("basicsr", "basicsr.utils", "basicsr.utils.registry")}
    modules["basicsr.utils.registry"].LOSS_REGISTRY = Registry()
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    started = []
    monkeypatch.setattr("runpy.run_module", lambda name, run_name: started.append((name, sorted(registry))))
    text = (EXAMPLES / "basicsr_training.py").read_text()
    exec(compile(text, "basicsr_training.py", "exec"), {"__name__": "__main__"})
    ((name, known),) = started
    assert name == "basicsr.train"
    assert {"pdloss", "pdloss_pdl"} <= set(known)
    options = re.search(r'loss: "(.*)"', text)
    assert options
    registry["pdloss"](loss=options[1])


def test_torch_hub_finds_every_loss() -> None:
    root = Path(__file__).parents[1]
    spec = importlib.util.spec_from_file_location("hubconf", root / "hubconf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert set(LOSSES.table) | {"objective"} <= {name for name in vars(module) if not name.startswith("_")}
    loss = torch.hub.load(str(root), "pdl", source="local", features="distilled.relu3_3")
    image = torch.rand(1, 3, 32, 32)
    assert loss(image, image) == 0
    assert torch.hub.load(str(root), "objective", source="local", text="l1")(image, image).total == 0


def test_every_example_for_another_trainer_is_short() -> None:
    for name in ("own_training_loop", "lightning_training", "accelerate_training", "deepinv_loss", "basicsr_training"):
        assert len((EXAMPLES / f"{name}.py").read_text().splitlines()) <= 60, name
        assert importlib.util.find_spec("pdloss")
