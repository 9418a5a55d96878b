"""How known networks answer one picture."""

import math
from pathlib import Path

import pytest

from pdloss import assets
from pdloss.features import probes
from pdloss.features.importing import import_asset
from pdloss.features.probes import PROBES


@pytest.mark.parametrize("name", list(PROBES))
def test_the_real_weights_give_the_recorded_answers(
    name: str, tmp_path: Path, assets_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = assets_folder / f"{name}.safetensors"
    if not file.exists():
        pytest.skip(f"{file.name} is not in PDLOSS_ASSETS")
    gaps = probes.differences(PROBES[name], probes.answers(PROBES[name], file))
    assert max(gaps.values()) < 1e-4
    monkeypatch.delenv("PDLOSS_ASSETS", raising=False)
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path))
    assert import_asset(file, name).known
    assert assets.path(name).read_bytes() == file.read_bytes()


def test_the_picture_is_a_formula_and_never_changes() -> None:
    picture = probes.picture()
    assert picture.shape == (1, 3, 64, 64)
    assert picture[0, :, 0, 0].tolist() == pytest.approx([0.5 + 0.15 * (1 + math.cos(c)) for c in range(3)], abs=1e-6)
    assert picture.double().mean().item() == pytest.approx(0.530322, abs=1e-6)
    assert picture.double().std().item() == pytest.approx(0.166376, abs=1e-6)
