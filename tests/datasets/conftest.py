from pathlib import Path

import PIL.Image
import pytest

from tests.datasets.coded import SIZES, coded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the images of `SIZES`, and nothing else."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, (name, size) in enumerate(SIZES.items()):
        PIL.Image.fromarray(coded(number, *size)).save(folder / name)
    return folder
