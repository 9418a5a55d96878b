"""What a model's name stands for."""

from pathlib import Path

import pytest

from pdloss.errors import RunError
from pdloss.models.shelf import named, place_of, shipped


def test_a_model_that_ships_comes_before_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "jpeg.safetensors").touch()
    (tmp_path / "jpeg").mkdir()
    assert shipped(shelf) == {"jpeg": shelf / "jpeg.safetensors"}
    assert place_of("jpeg", shelf) == named("jpeg", shelf) == shelf / "jpeg.safetensors"
    assert place_of("./jpeg", shelf) == Path("jpeg") and place_of(Path("jpeg"), shelf) == Path("jpeg")
    with pytest.raises(RunError, match=r"jpeq is no model that ships, and no run folder or file; did you mean 'jpeg'"):
        place_of("jpeq", shelf)


def test_where_none_ships_a_name_is_answered_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shipped(tmp_path) == {}
    for ask in (place_of, named):
        with pytest.raises(RunError, match="none ships with this copy of pdloss: train one"):
            ask("denoise", tmp_path)
    place = str(tmp_path / "runs" / "denoise")
    assert place_of(place, tmp_path) == Path(place), "whoever opens it says what is missing"
