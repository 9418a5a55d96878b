"""What is restored: the same pictures as ever, and what each of them drew."""

from pathlib import Path

import pytest
import torch

from pdloss.datasets import Pairs, Photographs
from pdloss.degradations import parse
from pdloss.errors import SpecError
from pdloss.evaluation.frozen_sets import freeze
from pdloss.evaluation.inputs import Inputs, comparable, contents_sha256, files_sha256
from pdloss.images import read_image, write_image
from pdloss.ops.bayer import bayer_plane, bayer_unpacked, demosaic_malvar
from pdloss.ops.color import quantize
from pdloss.ops.resize import resize
from pdloss.ops.streams import generator
from tests.runs_for_tests import photographs_in

CHAIN = "blur(support=3..7) | noise(sigma=0..0.1)"


@pytest.fixture
def photographs(tmp_path: Path) -> Photographs:
    """Two small pictures."""
    return Photographs(photographs_in(tmp_path / "photographs"))


def test_on_the_fly_or_frozen_each_says_what_it_drew(photographs: Photographs, tmp_path: Path) -> None:
    freeze(photographs, CHAIN, tmp_path / "frozen", seed=7)
    made = Inputs(photographs, CHAIN, seed=7)
    frozen = Inputs(photographs, None, frozen=tmp_path / "frozen")
    assert len(made) == len(frozen) == 2
    pairs = Pairs(photographs, parse(CHAIN), 7)
    for index in range(2):
        one, other = made[index], frozen[index]
        assert torch.equal(one.degraded, pairs[index].degraded)
        assert torch.equal(other.degraded, quantize(one.degraded))
        assert one.drawn == other.drawn
        assert ".." not in one.drawn.in_full()
        stream = generator(7, one.name)
        parse(CHAIN).drawn(stream)
        assert torch.equal(one.drawn(one.target, stream), one.degraded), "the record repeats the image"
    assert made[0].drawn != made[1].drawn
    assert made.description == f"{parse(CHAIN).in_full()}, seed 7"
    assert frozen.description.startswith(f"{made.description}, frozen as ")


def test_a_degradation_beside_a_frozen_set_is_refused(photographs: Photographs, tmp_path: Path) -> None:
    freeze(photographs, "noise", tmp_path / "frozen")
    with pytest.raises(SpecError, match="'noise' has no effect on the frozen set"):
        Inputs(photographs, "noise", frozen=tmp_path / "frozen")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("noise", ""),
        ("downscale(factor=2)", "; the input is scored after bicubic enlargement"),
        ("mosaic", "; the input is scored after demosaicing by Malvar, He and Cutler"),
    ],
)
def test_says_how_the_input_is_made_comparable(photographs: Photographs, text: str, said: str) -> None:
    assert Inputs(photographs, text).description == f"{parse(text).in_full()}, seed 0{said}"


def test_inputs_become_comparable_as_one_would_without_a_network(generator: torch.Generator) -> None:
    target = torch.rand(1, 3, 16, 24, generator=generator)
    assert comparable(target, target, parse("noise")) is target
    small = torch.rand(1, 3, 8, 12, generator=generator)
    assert torch.equal(comparable(small, target, parse("downscale(factor=2)")), resize(small, (16, 24)))
    wanted = demosaic_malvar(bayer_plane(target))
    for layout in ("masked", "plane", "packed"):
        chain = parse(f"mosaic(noise=0, layout='{layout}')")
        mosaic = chain(target[0], generator)[None]
        assert torch.allclose(comparable(mosaic, target, chain), wanted)
    assert bayer_unpacked(mosaic).shape == (1, 1, 16, 24)


def test_contents_are_known_by_names_and_bytes(photographs: Photographs, tmp_path: Path) -> None:
    folder = photographs.folder
    before = contents_sha256(photographs)
    assert before == files_sha256({name: folder / name for name in photographs.names})
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in photographs.names:
        (copy / name).write_bytes((folder / name).read_bytes())
    assert contents_sha256(Photographs(copy)) == before
    (copy / "photo1.png").rename(copy / "photo2.png")
    assert contents_sha256(Photographs(copy)) != before
    write_image(folder / "photo0.png", read_image(folder / "photo0.png").flip(2))
    assert contents_sha256(Photographs(folder)) != before
