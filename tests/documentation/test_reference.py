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
