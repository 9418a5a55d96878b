"""Plans: what is read, and every slip that is answered with the place and the near word."""

import pytest

from pdloss.errors import SpecError
from pdloss.sweeps.plan import LossAxis, plan_from, read_plan

SMALL = {"out": "runs", "train": {"data": "photos"}, "losses": [{"loss": "l1"}]}
WEIGHTED = "l1 + {weight}*pdl"


def test_reads_all_that_a_file_says(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        """\ufeffout = "runs/sweep"
        [train]
        data = "photos"
        save-every = 50
        [start]
        steps = 4000
        [[losses]]
        loss = "l1"
        [[losses]]
        name = "pdl"
        loss = "l1 + {weight}*pdl"
        weight = "log 0.001..0.016 x5"
        [[losses]]
        loss = "l1 + {weight}*perceptual"
        weight = [0.5, 1]
        share = [0.3]
        [[losses]]
        name = "pdl"
        loss = "l1 + {weight}*pdl"
        weight = [1]
        seed = [0, 5]
        [axes]
        task = ["denoise", "sr"]
        [evaluate]
        data = ["kodak"]
        """,
        encoding="utf-8",
    )
    plan = read_plan(path)
    assert plan.train == {"data": "photos", "save_every": 50}
    assert plan.start == {"loss": "l1", "steps": 4000}
    assert plan.losses == (
        LossAxis("l1"),
        LossAxis(WEIGHTED, "pdl", (0.001, 0.002, 0.004, 0.008, 0.016)),
        LossAxis("l1 + {weight}*perceptual", "", (0.5, 1.0), (0.3,)),
        LossAxis(WEIGHTED, "pdl", (1.0,), (), (0, 5)),
    )
    assert plan.axes == {"task": ("denoise", "sr")}
    assert plan.evaluate == {"data": ["kodak"]}


def test_weights_on_a_logarithmic_scale_are_the_same_factor_apart():
    (axis,) = plan_from(SMALL | {"losses": [{"loss": WEIGHTED, "weight": "log 0.0003..0.01 x5"}]}).losses
    factors = [b / a for a, b in zip(axis.weights, axis.weights[1:], strict=False)]
    assert axis.weights[0] == 0.0003
    assert axis.weights[-1] == 0.01
    assert factors == pytest.approx([(0.01 / 0.0003) ** 0.25] * 4, rel=0.01)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lossses": []}, "unknown key 'lossses' in the plan; did you mean 'losses'"),
        ({"train": {"data": "p", "step": 3}}, "unknown key 'step' in \\[train\\]; did you mean 'steps'"),
        ({"train": {"data": "p", "out": "x"}}, "unknown key 'out' in \\[train\\]"),
        ({"train": {}}, "\\[train\\] needs data"),
        ({"out": ""}, 'out = "FOLDER"'),
        ({"losses": []}, "names no loss"),
        ({"losses": "l1"}, "written as \\[\\[losses\\]\\]"),
        ({"losses": [{"loss": "l1", "name": "../x"}]}, "name = '../x' of"),
        ({"losses": [{"loss": "l1", "name": "a"}, {"loss": "l2", "name": "a"}]}, "holds 'a' twice"),
        ({"losses": [{"los": "l1"}]}, "unknown key 'los' in \\[\\[losses\\]\\]"),
        ({"losses": [{"loss": "l1"}, {"loss": "l1"}]}, "\\[\\[losses\\]\\] holds 'l1' twice"),
        (
            {"losses": [{"loss": WEIGHTED, "weight": [1, 2]}, {"loss": WEIGHTED, "weight": [3, 2]}]},
            "holds 'l1 \\+ {weight}\\*pdl' twice, at 2",
        ),
        (
            {"losses": [{"loss": WEIGHTED, "weight": [1]}, {"loss": WEIGHTED, "weight": [3], "name": "pdl"}]},
            "both '' and 'pdl'",
        ),
        ({"losses": [{"loss": "l1", "seed": [0, 0]}]}, "seed of 'l1' holds 0 twice"),
        ({"losses": [{"loss": "l1", "seed": [-1]}]}, "whole numbers from 0 on"),
        ({"losses": [{"loss": "l1", "seed": [0, 1]}], "axes": {"seed": [0]}}, "seed stands in \\[axes\\] and in"),
        ({"losses": [{"loss": WEIGHTED}]}, "needs weight"),
        ({"losses": [{"loss": "l1", "weight": [1]}]}, "has no {weight} for its weights"),
        ({"losses": [{"loss": WEIGHTED, "weight": [0.1, 0.2, 0.1]}]}, "holds 0.1 twice"),
        ({"losses": [{"loss": WEIGHTED, "weight": [-1]}]}, "weights are positive"),
        ({"losses": [{"loss": WEIGHTED, "weight": [True]}]}, "weights are positive"),
        ({"losses": [{"loss": WEIGHTED, "weight": "log 1..x x3"}]}, 'is not "log LOW..HIGH xN"'),
        ({"losses": [{"loss": WEIGHTED, "weight": "log 2..1 x3"}]}, "LOW < HIGH"),
        ({"losses": [{"loss": WEIGHTED, "weight": "log 1..2 x1"}]}, "from 2 to 100"),
        ({"losses": [{"loss": WEIGHTED, "share": [0.5]}]}, "add \\[start\\]"),
        ({"losses": [{"loss": WEIGHTED, "share": [1.5]}], "start": {}}, "between 0 and 1"),
        ({"losses": [{"loss": "{weight}*l1 + pdl", "share": [0.5]}], "start": {}}, "one term beside the first"),
        ({"losses": [{"loss": "l1 + pdl(ratio={weight})", "share": [0.5]}], "start": {}}, "one term beside the first"),
        ({"axes": {"seed": 3}}, "\\[axes\\] seed is a list"),
        ({"axes": {"seed": []}}, "\\[axes\\] seed is a list"),
        ({"axes": {"seed": [1, 2, 1]}}, "\\[axes\\] seed holds 1 twice"),
        ({"axes": {"data": ["a", "b"]}}, "data stands in \\[train\\] and in \\[axes\\]"),
        ({"axes": 3}, "axes is a table"),
        ({"evaluate": {"metrics": "psnr"}}, "\\[evaluate\\] needs data"),
        ({"evaluate": {"data": ["a", "b"], "metrics": ["psnr"]}}, "metrics of 1 folders, and 2 in data"),
        ({"evaluate": {"data": "a", "metrics": ["psnr", "lpips"]}}, "metrics of 2 folders, and 1 in data"),
        ({"evaluate": {"data": ["a"], "metric": "psnr"}}, "'metric' in \\[evaluate\\]; did you mean 'metrics'"),
    ],
)
def test_refuses_with_the_place_and_the_near_word(change, said):
    with pytest.raises(SpecError, match=said):
        plan_from(SMALL | change)


@pytest.mark.parametrize("content", [b"out = ", b"\xff\xfe", b"[train]\n[train]"])
def test_names_the_file_that_is_no_toml(tmp_path, content):
    (tmp_path / "plan.toml").write_bytes(content)
    with pytest.raises(SpecError, match="plan.toml is no TOML"):
        read_plan(tmp_path / "plan.toml")
    with pytest.raises(SpecError, match="absent.toml cannot be read"):
        read_plan(tmp_path / "absent.toml")
