"""What files hold, as digests: remembered, and never mistaken for what they held before."""

import hashlib
import os
import time

import PIL.Image
import pytest
import torch

from pdloss.assets import cache_folder
from pdloss.datasets import Photographs
from pdloss.datasets.contents import place
from tests.datasets.coded import SIZES, coded


def digest_of(lines):
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_fingerprint_is_the_hash_of_names_and_contents(folder):
    contents = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in SIZES}
    expected = "contents:" + digest_of(f"{name}\0{content}\n" for name, content in contents.items())
    assert Photographs(folder).fingerprint == Photographs(folder, cached=True).fingerprint == expected
    assert Photographs(folder).contents == contents
    (folder / "a.png").rename(folder / "aa.png")
    assert Photographs(folder).fingerprint != expected


def test_fingerprint_does_not_depend_on_where_the_folder_lies(folder):
    before = Photographs(folder).fingerprint
    moved = folder.rename(folder.with_name("elsewhere"))
    assert Photographs(moved).fingerprint == before


def replace_in_place(path, pixels, rename):
    """Puts other pixels of the same size and time stamp there, as ``cp -p`` and ``mv`` do."""
    status, other = path.stat(), path.with_name(".other.bmp")
    PIL.Image.fromarray(pixels).save(other)
    if rename:
        other.rename(path)
    else:
        path.write_bytes(other.read_bytes())
        other.unlink()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


@pytest.mark.parametrize("rename", [False, True])
def test_other_pixels_of_the_same_size_and_time_are_never_taken_for_the_old_ones(rename, folder):
    before = Photographs(folder, cached=True)
    pixels = before[2].clone()
    time.sleep(0.02)  # a tick of the clock of the file system, at least
    replace_in_place(folder / "c.bmp", 255 - coded(2, *SIZES["c.bmp"]), rename)
    after = Photographs(folder, cached=True)
    assert torch.equal(after[2], 255 - pixels)
    assert after.fingerprint != before.fingerprint
    assert after.hashes["c.bmp"] != before.hashes["c.bmp"]
    assert {n for n in SIZES if after.contents[n] != before.contents[n]} == {"c.bmp"}


def test_what_has_not_changed_is_not_read_again(folder, monkeypatch):
    monkeypatch.setattr("pdloss.datasets.contents._RESTED", 0)  # these files are new, and would be read once more
    known = Photographs(folder, cached=True).fingerprint
    monkeypatch.setattr("pdloss.datasets.contents._sha256", lambda path: pytest.fail(f"read {path}"))
    assert Photographs(folder, cached=True).fingerprint == known
    with pytest.raises(pytest.fail.Exception, match="read .*a.png"):
        Photographs(folder, cached=True, reread=True)


def test_a_file_that_may_still_change_within_a_tick_of_the_clock_is_not_remembered(folder, monkeypatch):
    Photographs(folder, cached=True)
    monkeypatch.setattr("pdloss.datasets.contents._sha256", lambda path: pytest.fail(f"read {path}"))
    with pytest.raises(pytest.fail.Exception, match="read"):
        Photographs(folder, cached=True)


def test_what_was_remembered_and_got_damaged_is_read_again(folder, monkeypatch):
    monkeypatch.setattr("pdloss.datasets.contents._RESTED", 0)
    known = Photographs(folder, cached=True).contents
    (memory,) = cache_folder().glob(f"decoded/{place(folder)}.json")
    text = memory.read_text()
    memory.write_text(text.replace(known["a.png"], "0" * 64))
    assert Photographs(folder, cached=True).contents == known
