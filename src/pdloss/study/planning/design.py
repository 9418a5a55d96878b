"""From folders of restored pictures to a study: crops, questions and schedules, all in one folder."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, get_origin, get_type_hints

import msgspec
import numpy as np

from pdloss.errors import SpecError
from pdloss.files import write_folder
from pdloss.records import write_record
from pdloss.study.planning import crops, texts
from pdloss.study.planning.cutting import Pictures, chosen, cut, paired
from pdloss.study.planning.pairing import Cell, Sides, cells
from pdloss.study.planning.protocol import StudyProtocol
from pdloss.study.planning.schedules import Checks, QuestionPool, check_questions, schedules
from pdloss.study.records import DEGRADED, TARGET, Page, Question, StudyDesign, StudyImage


def design(
    methods: Mapping[str, Pictures],
    target: Pictures,
    out: Path,
    protocol: StudyProtocol,
    progress: Callable[[int, int], object] | None = None,
) -> StudyDesign:
    """Returns the design that it wrote to ``out/design.json``, with the crops in ``out/crops/``: both or neither.

    Args:
        methods: Folders of restored pictures by the methods' names, or files by the stems of their targets.
        target: Folder of what they should be, with the same file stems; or files.
        out: Folder of the new study; absent or empty.
        protocol: How it is to be.
        progress: Told of every image done.

    Raises:
        ImageError: If the folders do not hold the same pictures, or one is smaller than the crop or cannot be read.
        SpecError: If the protocol cannot be followed, or `out` holds something.
    """
    _check(methods, out, protocol)
    files = paired(methods, target)
    places = crops.given_places(protocol.boxes) if protocol.boxes else None
    seed = secrets.randbelow(2**31) if protocol.seed is None else protocol.seed
    rng = np.random.default_rng(seed)
    stems = chosen(files[TARGET], places, protocol.images, rng)
    offered = cells(len(methods), len(stems), protocol.kind)
    if len(offered) < protocol.questions:
        raise SpecError(
            f"{len(methods)} methods on {len(stems)} images make {len(offered)} different comparisons, fewer than the "
            f"{protocol.questions} of each rater; use more images, or --questions {len(offered)}"
        )
    for option, count in (("--catch", protocol.catch), ("--identical", protocol.identical)):
        if count > len(stems):
            raise SpecError(f"{option} {count} needs as many different images, and there are {len(stems)}")
    consent = texts.consent(protocol.consent)
    with write_folder(out) as folder:
        images = []
        for done, stem in enumerate(stems, start=1):
            place = places[stem] if places else protocol.rule
            found = {name: paths[stem] for name, paths in files.items()}
            images.append(cut(stem, found, place, protocol.crop, folder, rng))
            if progress:
                progress(done, len(stems))
        made = _designed(list(methods), images, offered, protocol, seed, consent, rng)
        write_record(folder / "design.json", made)
    return made


def _designed(
    methods: list[str],
    images: list[StudyImage],
    offered: Sequence[Cell],
    protocol: StudyProtocol,
    seed: int,
    consent: str,
    rng: np.random.Generator,
) -> StudyDesign:
    pool = QuestionPool(methods, [image.id for image in images])
    plans = _plans(pool, offered, protocol, rng)
    return StudyDesign(
        title=protocol.title,
        seed=seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        crop=protocol.crop,
        questions_per_rater=protocol.questions,
        repeats_per_rater=protocol.repeats,
        raters=protocol.raters,
        reference=protocol.reference,
        kind=protocol.kind,
        ties=protocol.ties,
        methods=methods,
        images=images,
        questions=pool.questions,
        schedules=plans,
        training=_training(images, protocol.training, rng),
        rules=protocol.rules,
        page=Page(
            consent=consent,
            question=protocol.question or texts.QUESTIONS[protocol.reference],
            phones=protocol.phones,
            completion=protocol.completion,
        ),
    )


def _check(methods: Mapping[str, Pictures], out: Path, protocol: StudyProtocol) -> None:
    _check_ranges(protocol)
    if (out / "design.json").exists():
        raise SpecError(f"{out} holds a study already; choose another folder with --out")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise SpecError(f"{out} is not an empty folder; choose another with --out")
    if len(methods) < 2:
        raise SpecError(f"a comparison needs two methods or more, got {len(methods)}; name them as METHOD=DIR")
    if taken := {TARGET, DEGRADED} & methods.keys():
        raise SpecError(f"no method can be called {taken.pop()!r}, which has a meaning of its own here; rename it")
    if (protocol.rule == "boxes") != (protocol.boxes is not None):
        raise SpecError("--rule boxes and --boxes FILE go together: give both or neither")
    if protocol.repeats > max(1, protocol.questions // 3):
        raise SpecError(
            f"{protocol.repeats} repeats of {protocol.questions} comparisons are too many; at most a third, "
            f"{max(1, protocol.questions // 3)}, can be asked again"
        )


def _check_ranges(protocol: StudyProtocol) -> None:
    for options in (protocol, protocol.rules):
        for name, kind in get_type_hints(type(options), include_extras=True).items():
            if get_origin(kind) is ClassVar:
                continue
            value = getattr(options, name)
            try:
                if isinstance(value, int | float):
                    msgspec.convert(value, kind)
            except msgspec.ValidationError as error:
                wanted = str(error).replace("`", "").removeprefix("Expected ")
                raise SpecError(f"--{name.replace('_', '-')} {value} is out of range: expected {wanted}") from None


def _plans(
    pool: QuestionPool, offered: Sequence[Cell], protocol: StudyProtocol, rng: np.random.Generator
) -> list[list[str]]:
    """Returns every planned rater's questions; of an active design only the checks, and the pool then has them all."""
    checks = Checks(protocol.catch, protocol.repeats, protocol.identical)
    if protocol.kind != "active":
        return schedules(pool, offered, protocol.raters, protocol.questions, checks, rng)
    for cell in offered:
        for first_left in (True, False):
            pool.mirrored(pool.pair(cell, first_left))
    sides = Sides(rng)
    return [[q.id for q in check_questions(pool, checks, set(), sides, rng)] for _ in range(protocol.raters)]


def _training(images: Sequence[StudyImage], count: int, rng: np.random.Generator) -> list[Question]:
    """Returns questions with obvious answers, on both sides in turn."""
    pool, first = QuestionPool([], [image.id for image in images]), int(rng.integers(2))
    places = rng.permutation(len(images)).tolist()
    return [pool.catch(places[k % len(places)], "left" if (k + first) % 2 else "right") for k in range(count)]
