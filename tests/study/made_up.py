"""Designs without pictures for made-up raters, answers by hand, and scores without runs."""

import numpy as np

from pdloss.records import ImageScores, Metric, Scores, SetScore
from pdloss.study.planning.pairing import cells
from pdloss.study.planning.schedules import Checks, QuestionPool, schedules
from pdloss.study.records import Answer, Page, Rules, StudyDesign, StudyImage

METHODS = ["none", "l1", "contextual", "pdl"]
CHECKS, RULES = Checks(), Rules()
SCORES = {"none": -0.6, "l1": -0.1, "contextual": 0.2, "pdl": 0.5}


def made_up_design(
    methods=tuple(METHODS),
    images=20,
    raters=25,
    each=20,
    checks=CHECKS,
    ties=False,
    rules=RULES,
    kind="full",
    seed=0,
) -> StudyDesign:
    rng = np.random.default_rng(seed)
    shown = [
        StudyImage(id=f"image{i:03d}", target=f"{i:04d}.png", x=0, y=0, w=8, h=8, files={}, sha256={})
        for i in range(images)
    ]
    book = QuestionPool(list(methods), [image.id for image in shown])
    plans = schedules(book, cells(len(methods), images, kind), raters, each, checks, rng)
    return StudyDesign(
        title="Denoising at 100/255",
        seed=seed,
        created="2026-01-01T00:00:00+00:00",
        crop=8,
        questions_per_rater=each,
        repeats_per_rater=checks.repeats,
        raters=raters,
        kind=kind,
        ties=ties,
        methods=list(methods),
        images=shown,
        questions=book.questions,
        schedules=plans,
        training=[],
        rules=rules,
        page=Page(consent="", question=""),
    )


def choices(text: str, **changes) -> list[Answer]:
    """Returns the answers of lines such as ``x 1 a>b``, ``x 1 b=a``: rater, image, and the left method first."""
    answers = []
    for number, line in enumerate(text.strip().splitlines()):
        rater, image, pair = line.split()
        sign = next(sign for sign in "><=" if sign in pair)
        left, right = pair.split(sign)
        known = {"question": f"q{number}", "position": number, "kind": "pair", "seconds": 2.0, "at": ""}
        choice = {">": "left", "<": "right", "=": "tie"}[sign]
        answers.append(
            Answer(**known | {"rater": rater, "image": image, "left": left, "right": right, "choice": choice} | changes)
        )
    return answers


def metric_scores(values, better="higher", names=None, sets=None, metric="psnr") -> dict[str, Scores]:
    """Returns scores for every method, whose values of one metric are given image by image."""
    record = Metric(label=metric.upper(), better=better, protocol="made up")
    return {
        method: Scores(
            run=method,
            set="kodak",
            targets="gone",
            step=1,
            degradation="noise",
            metrics={metric: record},
            images=[
                ImageScores(
                    name=(names or [f"{i:04d}.png" for i in range(len(row))])[i],
                    restored={metric: float(v)},
                    degraded={},
                )
                for i, v in enumerate(row)
            ],
            seconds=1.0,
            set_metrics={"fid": Metric(label="FID", better="lower", protocol="made up")} if sets else {},
            sets={"fid": SetScore(value=sets[method])} if sets else {},
        )
        for method, row in values.items()
    }
