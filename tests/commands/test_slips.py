"""Slips of the keyboard and of habit: one sentence with the nearest right word, never a traceback.

To add one, add a line to `SLIPS`: what is typed, what the answer must hold, and the exit status if it is not 2.
"""

import shlex
from pathlib import Path

import pytest

from pdloss.cli import main
from tests.report.folders import write_run
from tests.runs_for_tests import photographs_in, trained_run

TRAIN = "train --data data --out new"
SLIPS = [
    # The verb.
    ("", ["usage: pdloss VERB"]),
    ("trian --data data", ["unknown command 'trian'", "did you mean 'train'?"]),
    ("Train --data data", ["did you mean 'train'?"]),
    ("test runs/l1 --data data", ["did you mean 'evaluate'"]),
    ("infer a.png", ["did you mean 'restore'"]),
    ("finetune runs/l1", ["did you mean 'train'"]),
    ("--data data train", ["--data stands before the verb"]),
    ("help trian", ["did you mean 'train'?"]),
    ("study desing", ["did you mean 'design'?"]),
    ("data geet div2k", ["invalid choice: 'geet'"]),
    ("figure crop runs/l1", ["crops, framework"]),
    # Options that other programs have.
    (f"{TRAIN} --epochs 10", ["train has no --epochs", "--steps"]),
    (f"{TRAIN} --num_epochs=10", ["train has no --num_epochs", "--steps"]),
    (f"{TRAIN} --max-steps 10", ["--steps"]),
    (f"{TRAIN} --learning-rate 1e-4", ["--lr"]),
    (f"{TRAIN} --learning_rate 1e-4", ["--lr"]),
    (f"{TRAIN} --batch-size 8", ["--batch"]),
    (f"{TRAIN} --patch_size 64", ["--crop"]),
    (f"{TRAIN} --num-workers 4", ["--workers"]),
    (f"{TRAIN} --lambda 0.01", ["--loss", "0.002*pdl"]),
    (f"{TRAIN} --gpu 0", ["--device cuda"]),
    (f"{TRAIN} --gpus 1", ["--device cuda"]),
    (f"{TRAIN} --cpu", ["--device cpu"]),
    (f"{TRAIN} --model edsr", ["--network"]),
    (f"{TRAIN} --sigma 25", ["noise(sigma=25/255)"]),
    (f"{TRAIN} --scale 4", ["--task sr"]),
    (f"{TRAIN} --resume", ["goes on by itself"]),
    (f"{TRAIN} --pretrained runs/l1", ["--init"]),
    (f"{TRAIN} --amp", ["--precision"]),
    (f"{TRAIN} --optimizer adamw", ["Adam"]),
    (f"{TRAIN} --local-rank 0", ["torchrun"]),
    ("train --dataset data --out new", ["--data"]),
    ("train --data data --output-dir new", ["--out"]),
    (f"{TRAIN} --stpes 3", ["Unrecognized", "--steps"]),
    (f"{TRAIN} --steps 10k", ["--steps", "10k"]),
    (f"{TRAIN} --lr 1,5", ["--lr", "1,5"]),
    (f"{TRAIN} --precision fp16", ["bfloat16"]),
    ("train --out new", ["--data"]),
    ("evaluate runs/l1 --data data --metric psnr", ["--metrics"]),
    ("evaluate --model runs/l1 --data data", ["run folders stand without an option"]),
    ("evaluate runs/l1 --gt data", ["--data"]),
    ("score --gt data --restored data", ["pdloss score RESTORED TARGET"]),
    ("restore --input data --model runs/l1 --out new", ["without an option"]),
    ("restore data --checkpoint runs/l1 --out new", ["--model"]),
    ("restore data --model runs/l1 -o new", ["--out"]),
    ("restore data --model runs/l1 --out new --force", ["--overwrite"]),
    # Values that cannot be.
    (f"{TRAIN} --seed 18446744073709551616", ["2^64 - 1"]),
    ("degrade --data data --out new --seed -1", ["got -1"]),
    ("study design a=x b=y --target data --out new --seed 99999999999999999999", ["--seed"]),
    ("restore data --model runs/l1 --out ''", ["--out is empty"]),
    ("evaluate runs/l1 --data data --set ''", ["--set is empty"]),
    (f"{TRAIN} --workers 100000", ["--workers must be", "100000"], 1),
    ("conformance pdloss.losses:perceptual_loss --channels 100000000000", ["--channels", "4096"], 1),
    # A choice written wrong.
    (f"{TRAIN} --loss 'l1 + 0.01pdl'", ["write 0.01*pdl"], 1),
    (f"{TRAIN} --loss 'l1 + 0.01 pdl'", ["write 0.01*pdl"], 1),
    (f"{TRAIN} --loss 'l1 + 1e-3pdl'", ["write 1e-3*pdl"], 1),
    (f"{TRAIN} --loss 'l1 + 0,01*pdl'", ["0.01"], 1),
    (f"{TRAIN} --loss 'l1 + 0.01×pdl'", ["write *"], 1),  # noqa: RUF001
    (f"{TRAIN} --loss 'pdl(features=‘distilled.relu4_3’)'", ["straight '"], 1),  # noqa: RUF001
    (f"{TRAIN} --loss 'pdl(features=vgg19.relu4_3)'", ["in quotes: 'vgg19.relu4_3'"], 1),
    (f"{TRAIN} --loss 'l1 pdl'", ["+ between terms"], 1),
    (f"{TRAIN} --loss 'l1 + 0.1*pld'", ["did you mean 'pdl'?"], 1),
    (f"{TRAIN} --network edrs", ["did you mean 'edsr'?"], 1),
    (f"{TRAIN} --task denoising", ["did you mean 'denoise'?"], 1),
    (f"{TRAIN} --device gpu", ["cuda"], 1),
    (f"{TRAIN} --budget gpu", ["cpu, halfhour, day"], 1),
    (f"{TRAIN} --config nowhere.json", ["nowhere.json does not exist"], 1),
    ("evaluate runs/l1 --data data --metrics PSNR", ["did you mean 'psnr'?"], 1),
    ("figure crops scored/a --out new --zoom 0", ["--zoom 0"], 1),
    # Folders and files.
    ("evaluate runs --data data", ["runs in it are runs/l1 runs/pdl"], 1),
    ("report runs --out new", ["runs in it are runs/l1 runs/pdl"], 1),
    ("evaluate runs/pld --data data", ["does not exist", "did you mean runs/pdl?"], 1),
    ("restore data --model runs/l2 --out new", ["does not exist", "did you mean runs/l1?"], 1),
    ("restore data --model nowhere.safetensors --out new", ["does not exist"], 1),
    ("report runs/l1 --out new", ["has no scores", "pdloss evaluate runs/l1"], 1),
    ("compare runs/l1 runs/pdl", ["has no scores", "pdloss evaluate runs/l1"], 1),
    (f"{TRAIN} --loss l1 --crop 2048", ["smaller than the crop of 2048x2048", "use a smaller --crop"], 1),
    ("niqe fit data --out new.safetensors", ["smaller than the block", "--skip-damaged"], 1),
    ("restore data --model runs/l1 --out result.jpg", ["name a folder"], 1),
    ("restore data/photo0.png --model runs/l1 --out result.bmp", ["end the name with .jpg, .png"], 1),
]
NOT_SAID = {"--crop 2048": "--skip-damaged", "niqe fit": "--crop", "report runs/l1": "photographs.json"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs, two runs that nobody scored, and a run with scores."""
    folder = tmp_path_factory.mktemp("slips")
    data = photographs_in(folder / "data")
    for name in ("l1", "pdl"):
        trained_run(folder / "runs" / name, data, steps=1)
    write_run(folder / "scored" / "a", {"psnr": [30.0, 31.0, 32.0]})
    return folder


@pytest.mark.parametrize("slip", SLIPS, ids=[slip[0] for slip in SLIPS])
def test_a_slip_is_answered_with_the_nearest_right_word(
    slip: tuple, desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed, parts, expected = (*slip, 2)[:3]
    monkeypatch.chdir(desk)
    before = sorted(desk.rglob("*"))
    try:
        status = main(shlex.split(typed))
    except SystemExit as stop:
        status = stop.code
    output = capsys.readouterr()
    said = output.out + output.err
    assert status == expected, said
    assert "Traceback" not in said
    for part in parts:
        assert part in said
    for key, wrong in NOT_SAID.items():
        assert key not in typed or wrong not in said
    assert sorted(desk.rglob("*")) == before, "nothing is made"
