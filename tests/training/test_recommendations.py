"""One recommended weight for each distribution loss, and nothing in README, docs or examples that says otherwise."""

import re
from pathlib import Path

import pytest

from pdloss import losses
from pdloss.errors import SpecError
from pdloss.tasks import TASKS
from pdloss.training.configuration import TrainConfig
from pdloss.training.recipes import BUDGETS, budget
from pdloss.training.recommendations import RECOMMENDED, recommended

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*.py"))]
HELP = [ROOT / "src/pdloss/training" / name for name in ("configuration.py", "recipes.py", "calibration.py")]
HELP += [ROOT / "src/pdloss/benchmarking/loss_costs.py"]
WEIGHTED = re.compile(
    r"(?<![\w.])(\d[\d.]*(?:e-?\d+)?)\s*\*\s*((?:pdloss\.)?(?:multilayer_pdl|MultilayerPDL|pdl|PDL)\b|distribution\(|loss\()"
    r"(?:\(features=[\"']([^\"']+)[\"'])?"
)
RECORDS = re.compile(r"experiments/|default_losses|REFERENCE")
"""What a paragraph has that tells of runs as they were, or of costs, which are the same at any weight."""


def contradictions(text: str) -> list[str]:
    """Every weight of a distribution loss that is not the one recommended for it."""
    known = {f"{recommendation.weight:g}" for recommendation in RECOMMENDED.values()}
    names = {"PDL": "pdl", "MultilayerPDL": "multilayer_pdl"}
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        if RECORDS.search(paragraph):
            continue
        for match in WEIGHTED.finditer(paragraph):
            name = match[2].removeprefix("pdloss.")
            loss = names.get(name, name) + (f"(features='{match[3]}')" if match[3] else "")
            right = {f"{RECOMMENDED[loss].weight:g}"} if loss in RECOMMENDED else known
            if f"{float(match[1]):g}" not in right:
                found.append(match[0])
    return found


@pytest.mark.parametrize("page", [*PAGES, *HELP], ids=lambda page: page.name)
def test_no_page_recommends_another_weight(page: Path) -> None:
    assert contradictions(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("--loss \"l1 + 0.002*pdl(features='vgg19.relu4_3')\"", 1),
        ("l1 + 0.05*multilayer_pdl + 0.5*phase", 0),
        ("l1 + 0.002*multilayer_pdl", 1),
        ("value = l1(restored, target) + 0.02 * loss(restored, target)", 1),
        ('(pdloss.L1() + 0.002 * pdloss.PDL(features="vgg19.relu4_3")).build()', 1),
        ("`l1 + 0.003*pdl`; [the commands](experiments/denoise-first/run.sh)", 0),
        ("`l1 + 0.003*pdl`\n\n[the commands](experiments/denoise-first/run.sh)", 1),
        ("`0.5*perceptual`", 0),
        ('--loss "l1 + 0.0003*pdl"', 1),  # the default features are VGG16's
        ('--loss "l1 + 0.002*pdl"', 0),
    ],
)
def test_the_search_finds_what_contradicts(text: str, found: int) -> None:
    assert len(contradictions(text)) == found


def test_the_default_and_every_budget_take_the_recommended_weight() -> None:
    texts = [
        TrainConfig(data="", out=Path()).loss,
        *(budget(of, name).options["loss"] for of in TASKS for name in BUDGETS),
    ]
    assert {str(losses.objective(text)) for text in texts} == {str(losses.objective(recommended()))}


@pytest.mark.parametrize("loss", RECOMMENDED)
def test_every_recommendation_has_its_record_and_its_entry_in_the_log(loss: str) -> None:
    record = RECOMMENDED[loss].record
    assert list((ROOT / "experiments" / record).iterdir())
    log = (ROOT / "experiments" / "LOG.md").read_text(encoding="utf-8")
    assert f"]({record}/" in log
    assert losses.objective(recommended(loss)).terms[1][0] == RECOMMENDED[loss].weight


def test_without_a_record_there_is_no_recommendation() -> None:
    with pytest.raises(SpecError, match=r"no weight .* for 'multilayer_pld'; did you mean 'multilayer_pdl'"):
        recommended("multilayer_pld")
