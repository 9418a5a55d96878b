"""Which pictures are restored, under which names."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdloss.errors import ImageError, UsageError
from pdloss.restoration.places import pictures, result_format


def saved(path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path, **options)
    return path


def names(found: dict[Path, Path], out: Path) -> dict[str, str]:
    return {source.name: written.relative_to(out).as_posix() for source, written in found.items()}


def test_formats_that_lose_nothing_stay_and_others_become_png(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg", "c.TIFF", "d.bmp", "deep/e.ppm"):
        saved(tmp_path / "in" / name)
    saved(tmp_path / "in" / "f.webp", lossless=True)
    saved(tmp_path / "in" / "g.webp", lossless=False)
    out = tmp_path / "out"
    assert names(pictures(tmp_path / "in", out), out) == {
        "a.png": "a.png",
        "b.jpg": "b.png",
        "c.TIFF": "c.TIFF",
        "d.bmp": "d.png",
        "e.ppm": "deep/e.png",
        "f.webp": "f.webp",
        "g.webp": "g.png",
    }


def test_two_of_one_stem_do_not_meet_in_any_format(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.tif"):
        saved(tmp_path / "in" / name)
    out = tmp_path / "out"
    assert names(pictures(tmp_path / "in", out), out) == {"a.jpg": "a.jpg.png", "a.png": "a.png", "a.tif": "a.tif"}
    as_jpeg = names(pictures(tmp_path / "in", out, "jpeg"), out)
    assert as_jpeg == {"a.jpg": "a.jpg", "a.png": "a.png.jpg", "a.tif": "a.tif.jpg"}


def test_a_name_and_a_format_that_differ_are_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "a.png")
    (written,) = pictures(source, tmp_path / "b.webp").values()
    assert result_format(written) == "webp"
    with pytest.raises(UsageError, match=r"b.webp and --format png ask for two formats"):
        pictures(source, tmp_path / "b.webp", "png")


def test_a_folder_of_results_alone_holds_nothing_to_restore(tmp_path: Path) -> None:
    saved(tmp_path / "out" / "a.png")
    with pytest.raises(ImageError, match="no image besides the results"):
        pictures(tmp_path, tmp_path / "out")
