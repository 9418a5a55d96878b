"""A plan as options means what the same plan means as a file."""

from pathlib import Path

import pytest

from pdloss.errors import SpecError
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import plan_from
from pdloss.sweeps.typed import AxisOptions, split, typed_plan
from pdloss.sweeps.work import arguments

WEIGHTED = "l1 + {weight}*pdl"


def test_options_and_a_file_mean_the_same_commands(tmp_path):
    words = ["--data", "my photos", "--steps=40", "--losses", "--batch", "8", "--compile", "--no-skip-damaged"]
    own, base = split(words, ["losses"])
    assert own == ["--losses"]
    options = AxisOptions(
        out=tmp_path,
        losses=("l1", WEIGHTED),
        weights=("log 0.001..0.1 x3",),
        shares=(0.5,),
        seeds=(0, 1),
        tasks=("denoise", "sr"),
        start=("steps=400", "lr=5e-4"),
        evaluate=("kodak24",),
        metrics="psnr,lpips",
    )
    file = {
        "out": str(tmp_path),
        "train": {"data": "my photos", "steps": 40, "batch": 8, "compile": True, "skip_damaged": False},
        "start": {"steps": 400, "lr": 5e-4},
        "losses": [{"loss": "l1"}, {"loss": WEIGHTED, "weight": [0.001, 0.01, 0.1], "share": [0.5]}],
        "axes": {"seed": [0, 1], "task": ["denoise", "sr"]},
        "evaluate": {"data": ["kodak24"], "metrics": "psnr,lpips"},
    }
    typed, read = typed_plan(options, base), plan_from(file)
    assert typed.evaluate == read.evaluate

    def starts(plan):
        return [arguments(job) for job in jobs_of(plan) if job.kind != "run" or job.share is None]

    assert [job.name for job in jobs_of(typed)] == [job.name for job in jobs_of(read)]
    lr = [[word.replace("5e-4", "0.0005") for word in words] for words in starts(typed)]
    assert lr == starts(read)


@pytest.mark.parametrize(
    ("options", "base", "said"),
    [
        ({}, {"data": "p"}, "needs --out FOLDER"),
        ({"out": Path("r")}, {"data": "p"}, "names no loss"),
        (
            {"out": Path("r"), "losses": ("l1",)},
            {"data": "p", "step": "3"},
            "unknown key 'step' in .*did you mean 'steps'",
        ),
        ({"out": Path("r"), "losses": ("l1",)}, {"data": "p", "seed": "3"}, "write --seeds"),
        ({"out": Path("r")}, {"data": "p", "loss": "l1"}, "write --losses"),
        ({"out": Path("r"), "losses": ("l1",), "weights": ("1",)}, {"data": "p"}, "has no {weight} for --weights"),
        ({"out": Path("r"), "losses": (WEIGHTED,), "weights": ("1", "x")}, {"data": "p"}, "--weights 1 x: numbers, or"),
        ({"out": Path("r"), "losses": (WEIGHTED,), "weights": ("1", "1")}, {"data": "p"}, "holds 1.0 twice"),
        ({"out": Path("r"), "losses": (WEIGHTED,)}, {"data": "p"}, "needs weight"),
        ({"out": Path("r"), "losses": ("l1",), "seeds": (1, 1)}, {"data": "p"}, "seed holds 1 twice"),
        ({"out": Path("r"), "losses": ("l1",), "start": ("steps",)}, {"data": "p"}, "--start steps: write NAME=VALUE"),
        (
            {"out": Path("r"), "losses": ("l1",), "start": ("stps=3",)},
            {"data": "p"},
            "'stps' in .*did you mean 'steps'",
        ),
    ],
)
def test_slips_are_named(options, base, said):
    with pytest.raises(SpecError, match=said):
        typed_plan(AxisOptions(**options), base)


def test_an_option_twice_is_refused():
    with pytest.raises(SpecError, match="--batch is given twice"):
        split(["--batch", "8", "--batch=9"], [])
