"""A model's card: what it is, what it was trained on, what it scores; written from records, in Markdown."""

from collections.abc import Mapping

from pdloss.models.measured import leaks
from pdloss.models.packing import Model, Stage
from pdloss.models.scores import ModelScores, Score, SetScores
from pdloss.records import Metric

_TASKS = {
    "denoise": "removes white noise",
    "jpeg": "removes the blocks and rings of JPEG",
    "sr": "enlarges",
    "deblur": "removes the blur of a shaken camera",
    "demosaic": "makes colours of a Bayer sensor's mosaic",
}
_TAGS = {
    "denoise": ["image-denoising"],
    "jpeg": ["jpeg-artifact-removal"],
    "sr": ["super-resolution"],
    "deblur": ["image-deblurring"],
    "demosaic": ["demosaicing"],
}
_LIMITS = {
    "denoise": "It was trained on white noise. A camera's own noise has been filtered and compressed, which leaves "
    "spots that this network takes for detail.",
    "jpeg": "It was trained on pictures compressed once. One that was compressed, made smaller and compressed again "
    "has other traces.",
    "sr": "Detail that is not in the input is made up, within what small networks can.",
    "deblur": "It was trained on one blur for the whole picture. Things that moved each for itself stay blurred.",
    "demosaic": "It takes mosaics (RGGB) of values as they are in an sRGB file, and no camera's raw file.",
}

_MADE = {"sr": " enlarged bicubically", "demosaic": " demosaiced by Malvar, He and Cutler"}
"""How the input is made a picture to be scored."""


def card(model: Model, scores: ModelScores | None, size: int, picture: str = "", address: str = "") -> str:
    """Returns the card.

    Args:
        model: What its file says.
        scores: What ``pdloss models evaluate`` measured; None where nothing was.
        size: Of the file, in bytes.
        picture: File name of a picture beside the card: input, result, target.
        address: ``owner/name`` of a repository that the model lies in; none for one that ships.
    """
    last = model.last
    what = _TASKS.get(last.task, f"restores ({last.task})")
    option = " --mosaic" if last.task == "demosaic" else ""
    precision = "half" if size < 3 * model.parameters else "single"
    shown = f"![Input, restored, target]({picture})\n\n*Where it changed its input most: input, result, target.*"
    in_python = f'    import pdloss\n    network = pdloss.models.load("{address}")  # RGB in [0, 1], (B, 3, H, W)'
    parts = [
        f"# {model.name}",
        f"A {'network' if address else 'small network'} that {what}: `{last.network}`, {model.parameters:,} "
        f"parameters, {size / 1e6:.2f} MB in {precision} precision.",
        f"    pdloss restore photo.jpg --model {address or model.name} --out restored{option}",
        in_python if address else "",
        "## Training",
        _training(model),
        *(_scores(model, scores) if scores else []),
        shown if picture else "",
        "## Limits",
        f"{_LIMITS.get(last.task, '')} Beyond what it was trained on, `{last.degradation}`, it does less than it "
        "could, or harm.".strip(),
        "## Licence",
        f"Weights: {model.licence}. Trained on: {model.data}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(model: Model) -> str:
    """Returns the lines before a card by which the Hub finds it."""
    tags = ["image-restoration", *_TAGS.get(model.last.task, [])]
    lines = [f"license: {model.licence.lower()}", "library_name: pdloss", "pipeline_tag: image-to-image", "tags:"]
    return "\n".join(["---", *lines, *(f"- {tag}" for tag in tags), "---", "", ""])


def _scores(model: Model, scores: ModelScores) -> list[str]:
    return [
        "## Scores",
        f"Measured by `pdloss models evaluate {model.name}`, of the file as it ships; means over images with 95 % "
        f"bootstrap intervals. *Gain* is the difference, image by image, from the input"
        f"{_MADE.get(model.last.task, '')}; of a score that is best near zero, from its distance to zero. A column for "
        "another model measured on the same pictures says how much larger this one's values are than its.",
        *(_table(each, scores.metrics) for each in scores.sets),
        _protocol(scores),
    ]


def _training(model: Model) -> str:
    lines = [
        f"On {model.last.images} photographs: {model.data}. {_measured_on(model)}",
        f"Degraded as `{model.last.degradation}`, drawn anew for every crop.",
        "\n".join(
            [
                "| | loss | steps | batch | crop | rate | average | seed | hours |",
                "|---|---|---:|---:|---:|---:|---:|---:|---:|",
                *(_stage(place, stage) for place, stage in enumerate(model.stages, 1)),
            ]
        ),
        f"It began with the weights of {model.stages[0].record.init}, of which nothing is known here."
        if model.stages[0].record.init
        else "",
        f"In {model.last.precision} on {model.last.device}, pdloss {model.last.versions.get('pdloss', '?')}, torch "
        f"{model.last.versions.get('torch', '?')}.",
    ]
    return "\n\n".join(line for line in lines if line)


def _measured_on(model: Model) -> str:
    """Returns whether its scores on the sets that everybody measures on would be of pictures that it knows."""
    if not model.trained_on:
        return "Whether they show pictures of Kodak24, Set5 or Set14 is not known."
    if found := leaks(model.trained_on):
        return (
            f"{len(found)} of them show pictures that are measured on, such as {found[0].partition(' (as ')[0]}: its "
            "scores on such sets do not count."
        )
    return "None of them shows a picture of Kodak24, Set5 or Set14."


def _stage(place: int, stage: Stage) -> str:
    record = stage.record
    cells = [
        str(place), f"`{record.loss}`", f"{stage.step:,}", str(record.batch), str(record.crop), f"{record.lr:g}",
        f"{record.ema:g}", str(record.seed), f"{stage.seconds / 3600:.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _table(scores: SetScores, metrics: Mapping[str, Metric]) -> str:
    others = [name for name in scores.scores[0].against if name != "input"] if scores.scores else []
    heads = ["", "input", "restored", "gain", *(f"against {name}" for name in others)]
    rows = [_row(score, metrics[score.metric], others) for score in scores.scores]
    title = f"**{scores.set}, {scores.protocol}** ({scores.images} images; `{scores.degradation}`)"
    table = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1), *rows]
    return title + "\n\n" + "\n".join(table)


def _row(score: Score, metric: Metric, others: list[str]) -> str:
    arrow = {"higher": "↑", "lower": "↓", "zero": "→ 0"}[metric.better]
    places = _places(metric)
    before = f"{score.values['input']:.{places}f}" if "input" in score.values else ""
    own = f"{score.value:.{places}f}{_bounds(score.low, score.high, metric)}"
    gains = [_gain(score, name, metric) for name in ("input", *others)]
    return "| " + " | ".join([f"{metric.label} {arrow}", before, own, *gains]) + " |"


def _gain(score: Score, name: str, metric: Metric) -> str:
    if name not in score.against:
        return ""
    value, low, high = score.against[name]
    return f"{value:+.{_places(metric)}f}{_bounds(low, high, metric, sign='+')}"


def _bounds(low: float | None, high: float | None, metric: Metric, sign: str = "") -> str:
    if low is None or high is None:
        return ""
    places = _places(metric)
    return f" [{low:{sign}.{places}f}, {high:{sign}.{places}f}]"


def _places(metric: Metric) -> int:
    return 2 if metric.unit == "dB" else 4


def _protocol(scores: ModelScores) -> str:
    lines = [f"- {metric.label}: {metric.protocol}" for metric in scores.metrics.values()]
    said = ", ".join(f"{name} {version}" for name, version in scores.versions.items())
    return "\n".join([*lines, f"- Computed with {said}; weights SHA-256 `{scores.weights_sha256[:16]}…`"])
