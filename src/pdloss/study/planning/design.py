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
from pdloss.study.planning.schedules import Checks, QuestionPool, check_questions, schedules
from pdloss.study.planning.wishes import Wishes
from pdloss.study.records import DEGRADED, TARGET, Page, Question, StudyDesign, StudyImage


def design(
    methods: Mapping[str, Pictures],
    target: Pictures,
    out: Path,
    wishes: Wishes,
    progress: Callable[[int, int], object] | None = None,
) -> StudyDesign:
    """Returns the design that it wrote to ``out/design.json``, with the crops in ``out/crops/``: both or neither.

    Args:
        methods: Folders of restored pictures by the methods' names, or files by the stems of their targets.
        target: Folder of what they should be, with the same file stems; or files.
        out: Folder of the new study; absent or empty.
        wishes: How it is to be.
        progress: Told of every image done.

    Raises:
        ImageError: If the folders do not hold the same pictures, or one is smaller than the crop or cannot be read.
        SpecError: If the wishes cannot all be met, or `out` holds something.
    """
    _check(methods, out, wishes)
    files = paired(methods, target)
    places = crops.given_places(wishes.boxes) if wishes.boxes else None
    seed = secrets.randbelow(2**31) if wishes.seed is None else wishes.seed
    rng = np.random.default_rng(seed)
    stems = chosen(files[TARGET], places, wishes.images, rng)
    offered = cells(len(methods), len(stems), wishes.kind)
    if len(offered) < wishes.questions:
        raise SpecError(
            f"{len(methods)} methods on {len(stems)} images make {len(offered)} different comparisons, fewer than the "
            f"{wishes.questions} of each rater; use more images, or --questions {len(offered)}"
        )
    for option, count in (("--catch", wishes.catch), ("--identical", wishes.identical)):
        if count > len(stems):
            raise SpecError(f"{option} {count} needs as many different images, and there are {len(stems)}")
    consent = texts.consent(wishes.consent)
    with write_folder(out) as folder:
        images = []
        for done, stem in enumerate(stems, start=1):
            place = places[stem] if places else wishes.rule
            found = {name: paths[stem] for name, paths in files.items()}
            images.append(cut(stem, found, place, wishes.crop, folder, rng))
            if progress:
                progress(done, len(stems))
        made = _designed(list(methods), images, offered, wishes, seed, consent, rng)
        write_record(folder / "design.json", made)
    return made


def _designed(
    methods: list[str],
    images: list[StudyImage],
    offered: Sequence[Cell],
    wishes: Wishes,
    seed: int,
    consent: str,
    rng: np.random.Generator,
) -> StudyDesign:
    pool = QuestionPool(methods, [image.id for image in images])
    plans = _plans(pool, offered, wishes, rng)
    return StudyDesign(
        title=wishes.title,
        seed=seed,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        crop=wishes.crop,
        questions_per_rater=wishes.questions,
        repeats_per_rater=wishes.repeats,
        raters=wishes.raters,
        reference=wishes.reference,
        kind=wishes.kind,
        ties=wishes.ties,
        methods=methods,
        images=images,
        questions=pool.questions,
        schedules=plans,
        training=_training(images, wishes.training, rng),
        rules=wishes.rules,
        page=Page(
            consent=consent,
            question=wishes.question or texts.QUESTIONS[wishes.reference],
            phones=wishes.phones,
            completion=wishes.completion,
        ),
    )


def _check(methods: Mapping[str, Pictures], out: Path, wishes: Wishes) -> None:
    _check_ranges(wishes)
    if (out / "design.json").exists():
        raise SpecError(f"{out} holds a study already; choose another folder with --out")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise SpecError(f"{out} is not an empty folder; choose another with --out")
    if len(methods) < 2:
        raise SpecError(f"a comparison needs two methods or more, got {len(methods)}; name them as METHOD=DIR")
    if taken := {TARGET, DEGRADED} & methods.keys():
        raise SpecError(f"no method can be called {taken.pop()!r}, which has a meaning of its own here; rename it")
    if (wishes.rule == "boxes") != (wishes.boxes is not None):
        raise SpecError("--rule boxes and --boxes FILE go together: give both or neither")
    if wishes.repeats > max(1, wishes.questions // 3):
        raise SpecError(
            f"{wishes.repeats} repeats of {wishes.questions} comparisons are too many; at most a third, "
            f"{max(1, wishes.questions // 3)}, can be asked again"
        )


def _check_ranges(wishes: Wishes) -> None:
    for options in (wishes, wishes.rules):
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


def _plans(pool: QuestionPool, offered: Sequence[Cell], wishes: Wishes, rng: np.random.Generator) -> list[list[str]]:
    """Returns every planned rater's questions; of an active design only the checks, and the pool then has them all."""
    checks = Checks(wishes.catch, wishes.repeats, wishes.identical)
    if wishes.kind != "active":
        return schedules(pool, offered, wishes.raters, wishes.questions, checks, rng)
    for cell in offered:
        for first_left in (True, False):
            pool.mirrored(pool.pair(cell, first_left))
    sides = Sides(rng)
    return [[q.id for q in check_questions(pool, checks, set(), sides, rng)] for _ in range(wishes.raters)]


def _training(images: Sequence[StudyImage], count: int, rng: np.random.Generator) -> list[Question]:
    """Returns questions with obvious answers, on both sides in turn."""
    pool, first = QuestionPool([], [image.id for image in images]), int(rng.integers(2))
    places = rng.permutation(len(images)).tolist()
    return [pool.catch(places[k % len(places)], "left" if (k + first) % 2 else "right") for k in range(count)]
