"""The same crop of the target and of every method's picture, as files that do not tell which is which."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np

from pdloss.errors import ImageError, SpecError
from pdloss.files.lists import first_few
from pdloss.files.spelling import spelled
from pdloss.picture_files import Picture, by_key, read_uint8
from pdloss.picture_files.patterns import pictures_of
from pdloss.study.planning import crops
from pdloss.study.planning.schedules import random_name
from pdloss.study.records import DEGRADED, TARGET, StudyImage

Place = tuple[int, int]


Pictures = Path | Mapping[str, Path]
"""A folder of pictures, or files by the keys of their targets."""


def paired(methods: Mapping[str, Pictures], target: Pictures) -> dict[str, dict[str, Path]]:
    """Returns the files of the target and of each method by their paths in their folders, without the suffix.

    Raises:
        ImageError: If a folder lacks a picture that another has.
    """
    files = {TARGET: _by_key(target)} | {name: _by_key(pictures) for name, pictures in methods.items()}
    for name, found in files.items():
        here = name if isinstance(methods.get(name, target), Mapping) else methods.get(name, target)
        there = TARGET if isinstance(target, Mapping) else target
        for one, other, place in ((files[TARGET], found, here), (found, files[TARGET], there)):
            if lacking := sorted(one.keys() - other.keys()):
                raise ImageError(
                    f"{place} lacks {first_few(lacking)}; all folders must hold the same pictures, by name "
                    "without the suffix"
                )
    return files


def chosen(
    found: Mapping[str, Path], places: Mapping[str, Place] | None, count: int | None, rng: np.random.Generator
) -> list[str]:
    """Returns the stems of the pictures to use, sorted: those with a given place, or all, or `count` of them.

    Raises:
        SpecError: If a place is given for a picture that is not there, or more are asked for than there are.
    """
    if places is not None and (unknown := sorted(places.keys() - found.keys())):
        raise SpecError(f"boxes are given for {first_few(unknown)}, which no picture is called")
    stems = sorted(found if places is None else places)
    if count is None:
        return stems
    if count > len(stems):
        raise SpecError(f"--images {count} asks for more than the {len(stems)} there are")
    return sorted(stems[k] for k in rng.permutation(len(stems))[:count].tolist())


def cut(
    stem: str,
    files: Mapping[str, Path],
    place: Place | Literal["random", "disagreement", "boxes"],
    side: int,
    out: Path,
    rng: np.random.Generator,
) -> StudyImage:
    """Returns one crop of the target, of every method's picture and of the degraded target, written to ``out/crops``.

    Args:
        stem: Path of the picture in its folder, without the suffix.
        files: Of the target and of each method, by name.
        place: Upper left corner, or the rule that finds it.
        side: Pixels along the crop's side.
        out: Folder of the study, or what becomes it.
        rng: Decides everything random.

    Raises:
        ImageError: If a picture cannot be read, differs in size from the target or is smaller than the crop.
        SpecError: If the place leaves the picture.
    """
    pictures = {name: read_uint8(path) for name, path in files.items()}
    _check_sizes(files, pictures, side)
    x, y = _found(place, pictures, side, rng)
    height, width = pictures[TARGET].shape[:2]
    if not (0 <= x <= width - side and 0 <= y <= height - side):
        raise SpecError(
            f"the box at ({x}, {y}) of {stem} leaves the picture of {width}x{height} pixels at "
            f"--crop {side}; move it, or cut less"
        )
    parts = {name: picture[y : y + side, x : x + side] for name, picture in pictures.items()}
    encoded = crops.encoded({**parts, DEGRADED: crops.strongly_degraded(parts[TARGET], rng)}, rng)
    names = {name: f"{random_name()}.png" for name in encoded}
    crops.write_files(out / "crops", {names[name]: data for name, data in encoded.items()})
    return StudyImage(
        id=random_name(),
        target=spelled(f"{stem.rpartition('/')[0]}/{files[TARGET].name}".removeprefix("/")),
        x=x,
        y=y,
        w=side,
        h=side,
        files=names,
        sha256={names[name]: sha256(data).hexdigest() for name, data in encoded.items()},
    )


def _by_key(methods: Pictures) -> dict[str, Path]:
    if not isinstance(methods, Path):
        return dict(methods)
    pictures = pictures_of(methods)
    return {key: pictures.files[name] for key, name in sorted(by_key(list(pictures.files)).items())}


def _check_sizes(files: Mapping[str, Path], pictures: Mapping[str, Picture], side: int) -> None:
    height, width = pictures[TARGET].shape[:2]
    for name, picture in pictures.items():
        if picture.shape != pictures[TARGET].shape:
            raise ImageError(
                f"{files[name]} is {picture.shape[1]}x{picture.shape[0]} pixels, but {files[TARGET]} is "
                f"{width}x{height}; pictures are compared at one size only"
            )
    if min(height, width) < side:
        raise ImageError(
            f"{files[TARGET]} is {width}x{height} pixels, smaller than a crop of {side}x{side}; "
            f"give --crop {min(height, width)} or less"
        )


def _found(place: Place | str, pictures: Mapping[str, Picture], side: int, rng: np.random.Generator) -> Place:
    if not isinstance(place, str):
        return place
    if place == "random":
        return crops.random_place(pictures[TARGET].shape, side, rng)
    return crops.disagreement_place([picture for name, picture in pictures.items() if name != TARGET], side)
