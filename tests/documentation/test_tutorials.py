"""Tutorials are run, and what they say stands below their code."""

from pathlib import Path

import pytest

from documentation.tutorials import ROOT, executed, without_pictures

TEXT = """# A page

```python
from PIL import Image
value = 6 * 7
Image.new("RGB", (4, 3)).save("drawn.png")
```

```python
print(value)
```

```console
$ pdloss help --version
```

![A picture](drawn.png)
"""


def test_what_is_printed_and_drawn_follows_and_is_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TEXT.replace("```console\n$ pdloss help --version\n```\n", ""))
    folder = executed(page, tmp_path / "kept")
    made = (folder / "page.md").read_text()
    assert "print(value)\n```\n\n```text\n42\n```\n" in made
    assert (folder / "drawn.png").exists()
    (folder / "page.md").write_text("as it was kept")
    assert executed(page, tmp_path / "kept") == folder
    assert (folder / "page.md").read_text() == "as it was kept"
    page.write_text(TEXT.replace("6 * 7", "6 * 8").replace("```console\n$ pdloss help --version\n```\n", ""))
    assert "48" in (executed(page, tmp_path / "kept") / "page.md").read_text()
    assert not folder.exists(), "what is out of date is gone"


@pytest.mark.parametrize("block", ["```python\n1 / 0\n```\n", "```console\n$ pdloss trian\n```\n"])
def test_a_block_that_fails_ends_the_build(block: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(block)
    with pytest.raises(RuntimeError, match="a block fails"):
        executed(page, tmp_path / "kept")
    assert not list(tmp_path.glob("kept/*/page.md"))


def test_the_first_tutorial_does_what_it_says(tmp_path: Path) -> None:
    made = (executed(ROOT / "docs" / "tutorials" / "loss.md", tmp_path) / "page.md").read_text()
    losses = [float(line.split()[3]) for line in made.splitlines() if line.startswith("step ") and "pdl" in line]
    assert losses[-1] < 0.7 * losses[0]


def test_a_tutorial_that_was_not_run_shows_no_picture() -> None:
    assert "drawn.png)" not in without_pictures(TEXT)
