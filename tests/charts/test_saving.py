"""Every picture is saved alike: in our style whatever the user's, and the same bytes each time."""

import sys
from pathlib import Path

import pytest

from pdloss.charts.palette import PRINTED
from pdloss.charts.saving import KINDS, files_beside, require_matplotlib, save, styled, svg_text
from pdloss.errors import MissingExtraError


def drawn(folder: Path) -> list[Path]:
    from matplotlib.figure import Figure

    with styled(PRINTED):
        figure = Figure(figsize=(2, 1))
        figure.add_subplot().plot([0, 1], [1, 0])
        paths = files_beside(folder / "one")
        save(figure, paths)
    return paths


def test_the_same_picture_has_the_same_bytes_in_every_format_whatever_the_users_settings(tmp_path: Path) -> None:
    import matplotlib as mpl

    first = drawn(tmp_path / "a")
    with mpl.rc_context({"lines.linewidth": 9.0, "axes.grid": False, "font.size": 30.0}):
        second = drawn(tmp_path / "b")
    assert [path.suffix.removeprefix(".") for path in first] == list(KINDS)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    starts = [path.read_bytes()[:5] for path in first]
    assert starts[0].startswith(b"\x89PNG")
    assert starts[1:] == [b"%PDF-", b"<?xml"]


def test_no_date_stands_in_a_drawing(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    with styled():
        assert "date" not in svg_text(Figure()).lower()
    assert b"CreationDate" not in drawn(tmp_path)[1].read_bytes()


@pytest.mark.parametrize("typed", ["f", "f.png", "f.pdf", "f.svg"])
def test_any_of_its_files_names_a_picture(typed: str) -> None:
    assert [path.name for path in files_beside(Path("x") / typed)] == ["f.png", "f.pdf", "f.svg"]


def test_dots_in_a_name_are_no_suffix() -> None:
    assert files_beside(Path("kodim1.5"))[0] == Path("kodim1.5.png")


def test_the_missing_extra_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib is not installed.*pip install 'pdloss\[report\]'"):
        require_matplotlib()
    with pytest.raises(MissingExtraError), styled():
        pass
