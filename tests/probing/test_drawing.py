"""The plot of responses."""

import xml.etree.ElementTree as ET

import pytest

from pdloss.errors import MissingExtraError
from pdloss.probing import PATTERNS, Responses
from pdloss.probing.drawing import save_drawing


def test_names_every_loss_and_every_pattern_that_is_no_grating(tmp_path):
    responses = [Responses(name, {p: 0.1 * i for i, p in enumerate(PATTERNS)}) for name in ("a.relu1", "b.relu2")]
    save_drawing(responses, tmp_path / "plot.svg")
    text = " ".join(ET.parse(tmp_path / "plot.svg").getroot().itertext())
    for name in ["a.relu1", "b.relu2", *(p.name for p in PATTERNS if p.frequency is None)]:
        assert name in text


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_writes_what_the_suffix_says(tmp_path, kind, start):
    save_drawing([Responses("a", dict.fromkeys(PATTERNS, 1.0))], tmp_path / f"plot.{kind}")
    assert (tmp_path / f"plot.{kind}").read_bytes().startswith(start)


def test_names_the_command_that_installs_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pdloss\[report\]'"):
        save_drawing([Responses("a", dict.fromkeys(PATTERNS, 1.0))], tmp_path / "plot.svg")


def test_the_files_are_the_same_each_time_whatever_the_users_settings(tmp_path):
    import matplotlib as mpl

    responses = [Responses("a", dict.fromkeys(PATTERNS, 1.0))]
    save_drawing(responses, tmp_path / "a.svg")
    with mpl.rc_context({"lines.linewidth": 9.0, "font.size": 30.0}):
        save_drawing(responses, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
