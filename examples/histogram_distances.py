"""Why W1 and not KL: distances between histograms, first of a toy, then of a photograph's features.

    python examples/histogram_distances.py            writes docs/histogram_distances.md and its pictures

After figure 2 of the paper, which `pdloss reproduce figure2` draws of other photographs on the paper's features. The
photograph comes with scikit-image and the features with pdloss: nothing is downloaded.
"""

from pathlib import Path

import pages

from pdloss.probing import histogram_page
from pdloss.probing.histograms import middle, seen

FEATURES, FACTOR = "distilled-1.relu4_3", 4


def make(
    out: Path = Path("docs"),
    data: Path | None = None,
    features: str = FEATURES,
    factor: int = FACTOR,
    quick: bool = False,
) -> None:
    """Measures, draws, and writes the page.

    Args:
        out: Folder of the page and its pictures.
        data: Folder of photographs, of which the first is taken; by default one that comes with scikit-image.
        features: Backbone and one layer.
        factor: How many times smaller the photograph is made before it is made large again.
        quick: Look at the middle of the photograph only.
    """
    ((name, photograph),) = pages.photographs(("astronaut",), data).items()
    sharp = pages.centre(photograph, 128, name) if quick else middle(photograph)
    found = seen(name, sharp, features, factor)
    said = pages.command(
        "histogram_distances", data=data, features=features if features != FEATURES else None,
        factor=factor if factor != FACTOR else None, quick=quick,
    )  # fmt: skip
    pictures = {"toy": "histogram_toy.svg", "channels": "histogram_features.svg"}
    out.mkdir(parents=True, exist_ok=True)
    histogram_page.draw(found, [out / pictures["toy"]], [out / pictures["channels"]])
    parts = histogram_page.sections([found], features, factor)
    pages.write_page(out / "histogram_distances.md", histogram_page.page(said, parts, pictures).rstrip())


if __name__ == "__main__":
    pages.main(make)
