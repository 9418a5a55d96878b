"""The reference names all that there is, each with its options."""

import re
from dataclasses import fields

import pytest

from documentation.reference import pages
from pdloss import records
from pdloss.cli import VERBS
from pdloss.degradations import DEGRADATIONS
from pdloss.features import BACKBONES
from pdloss.losses import LOSSES
from pdloss.metrics import METRICS, SET_METRICS
from pdloss.networks import NETWORKS
from pdloss.records import RunRecord

pytest.importorskip("latex2mathml")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("commands.md", VERBS),
        ("losses.md", LOSSES.table),
        ("degradations.md", DEGRADATIONS.table),
        ("networks.md", NETWORKS.table),
        ("features.md", BACKBONES),
        ("records.md", [kind.__name__ for kind in (records.RunRecord, records.LogLine, records.SetScore)]),
    ],
)
def test_every_one_has_a_heading(page: str, names: list[str]) -> None:
    headings = set(re.findall(r"^## (.*)$", pages()[page](), re.MULTILINE))
    assert set(names) <= headings


def test_every_option_and_key_stands_there() -> None:
    losses, keys, metrics = (pages()[page]() for page in ("losses.md", "records.md", "metrics.md"))
    for kind in LOSSES.table.values():
        section = losses.partition(f"\n## {kind.name}\n")[2].partition("\n## ")[0]
        assert [field.name for field in fields(kind) if f"| `{field.name}` |" not in section] == []
    assert [name for name in RunRecord.__struct_fields__ if f"| `{name}` |" not in keys] == []
    assert [name for name in (*METRICS, *SET_METRICS) if f"| `{name}` |" not in metrics] == []
    assert "<math" in losses


def section(page: str, name: str) -> str:
    return pages()[page]().partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("losses.md", LOSSES.table),
        ("degradations.md", DEGRADATIONS.table),
        ("networks.md", NETWORKS.table),
        ("features.md", BACKBONES),
    ],
)
def test_every_one_says_what_it_costs(page: str, names: dict[str, object]) -> None:
    for name in names:
        cost = re.search(r"^\*\*Cost\.\*\* (.+)$", section(page, name), re.MULTILINE)
        assert cost and re.search(r"\d|beside|multiply-adds|Not measured", cost[1], re.IGNORECASE), name


def test_every_feature_set_and_metric_is_described() -> None:
    for name in BACKBONES:
        assert "**Args**" in section("features.md", name) and "**Raises**" in section("features.md", name)
    for name in ("psnr", "ssim", "ms_ssim", "lpips", "dists", "niqe", "frechet_distance", "kernel_distance"):
        assert "**Args**" in section("metrics.md", name), name
    table = pages()["metrics.md"]()
    for name in METRICS:
        (row,) = re.findall(rf"^\| `{name}` \|.*$", table, re.MULTILINE)
        assert row.count(" | ") == 7
