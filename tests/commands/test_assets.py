import hashlib
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save

from pdloss import assets
from pdloss.assets import Asset, Source
from pdloss.commands.assets import main
from pdloss.errors import AssetError

BODY = save({"weight": torch.zeros(300000)})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three assets are known; one is in the assets folder, and a wrong one beside it."""
    here = Asset("here", "here.safetensors", hashlib.sha256(BODY).hexdigest(), (), "MIT", "caffe", "a test")
    far = Asset(
        "far", "far.safetensors", None, (Source("https://x/y", "0" * 64, size=5_000_000),), "CC0", "niqe", "a test"
    )
    partly = Asset("partly", "partly.safetensors", None, (Source("https://x/y", "01234567"),), "CC0", "dists", "a test")
    monkeypatch.setattr(assets, "ASSETS", {asset.name: asset for asset in (here, far, partly)})
    (tmp_path / "here.safetensors").write_bytes(BODY)
    (tmp_path / "partly.safetensors").write_bytes(BODY)
    monkeypatch.setenv("PDLOSS_ASSETS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


def cells(line):
    return [cell.strip() for cell in line.split("│")[1:-1]]


def test_list_tells_of_every_file_where_it_is_and_whether_it_can_be_had(folder, capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    rows = {row[0]: row[1:] for line in printed.splitlines() if len(row := cells(line)) == 6}
    assert rows["here"] == [str(folder), "1 MB", "MIT", "caffe", "no"]
    assert rows["far"] == ["not here", "", "CC0", "niqe", "yes, 5 MB"]
    assert rows["partly"] == [
        "here, but wrong: see 'path'",
        "",
        "CC0",
        "dists",
        "yes, hash known in part: --accept-short-hash",
    ]
    assert "caffe: BGR in [0, 255], minus (103.939, 116.779, 123.68), not divided" in printed


def test_path_prints_the_path_and_nothing_else(folder, capsys):
    assert main(["path", "here"]) == 0
    assert capsys.readouterr() == (f"{folder / 'here.safetensors'}\n", "")


def test_get_tells_where_each_file_is(folder, capsys):
    assert main(["get", "here", "here"]) == 0
    assert capsys.readouterr().out == f"here: {folder / 'here.safetensors'}\n" * 2


@pytest.mark.parametrize("verb", ["get", "path"])
def test_what_cannot_be_had_is_an_error(verb, folder):
    with pytest.raises(AssetError, match="PDLOSS_OFFLINE forbids a download"):
        main([verb, "far"])
    with pytest.raises(AssetError, match="unknown asset 'hree'; did you mean 'here'"):
        main([verb, "hree"])


def test_help_and_list_need_neither_torch_nor_numpy():
    script = """
import sys
from pdloss.commands.assets import main
main(["list"])
try:
    main(["--help"])
finally:
    assert not {"torch", "numpy"} & {*sys.modules}
"""
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert "vgg19-caffe" in printed.stdout
    assert "PDLOSS_OFFLINE=1" in printed.stdout
