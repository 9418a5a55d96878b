# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import subprocess
import sys

import pytest

from pdloss.commands.data import main
from pdloss.photo_sets.catalogue import SETS
from pdloss.photo_sets.library import DataError
from tests.mirror import mirror, serving
from tests.photo_sets.toys import ALBUM, TRAIN_ZIP, VALID_ZIP, album, going_on, know_sets, splits, toy


@pytest.fixture
def data(tmp_path, monkeypatch, mirror, know_sets):
    """Three sets are known, and lie below a folder of their own."""
    urls = [mirror.url(f"/{name}", serving(body)) for name, body in ALBUM.items()]
    toys = toy(mirror.url("/train.zip", serving(TRAIN_ZIP)), mirror.url("/valid.zip", going_on(VALID_ZIP, cut=1000)))
    know_sets(toys, album(*urls), splits("http://127.0.0.1:9/splits.tgz"))
    monkeypatch.setenv("PDLOSS_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def listed(capsys, *arguments):
    assert main([*arguments]) == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    return {row[0]: row[1:] for row in rows if len(row) == 7}


def test_the_list_tells_of_every_set_its_size_terms_and_whether_it_is_here(data, capsys):
    size = f"{(len(TRAIN_ZIP) + len(VALID_ZIP)) / 1000:.3g} kB"
    assert listed(capsys)["toy"] == ["train 3, valid 2", size, "SHA-256", "not here", "CC0", "noise"]
    album_size = f"about {sum(map(len, ALBUM.values())) / 1000:.3g} kB"
    assert listed(capsys)["album"] == ["3", album_size, "SHA-256 of pixels", "not here", "CC0", "noise"]
    assert listed(capsys, "list")["splits"][2].startswith("MD5, which finds damage but not forgery")
    main(["get", "album"])
    with pytest.raises(DataError, match="broke off"):
        main(["get", "toy"])
    capsys.readouterr()
    assert listed(capsys)["album"][3] == f"here: {data / 'album'}"
    assert listed(capsys)["toy"][3] == f"train here, valid not here, 1 kB came, unfinished: {data / 'toy'}"
    (data / "album" / "k21.png").unlink()
    assert listed(capsys)["album"][3] == "changed"


def test_in_a_narrow_terminal_no_word_is_cut(data, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    main([])
    size = f"{(len(TRAIN_ZIP) + len(VALID_ZIP)) / 1000:.3g} kB"
    toy, *others = capsys.readouterr().out.split("\n\n")
    assert toy == f"toy: noise\n  train 3, valid 2 images; {size}, checked by SHA-256\n  terms: CC0\n  not here"
    assert [text.partition(":")[0].strip() for text in others] == ["album", "splits", ""]


def test_the_list_bears_a_record_it_cannot_read(data, capsys):
    (data / "toy").mkdir()
    (data / "toy" / "photo_set.json").write_text("{")
    assert "photo_set.json is not a FetchedSet" in listed(capsys)["toy"][3]


def test_an_archive_of_unknown_size_is_larger_than_its_images(know_sets, capsys, monkeypatch):
    flickr2k = SETS["flickr2k"]
    know_sets(flickr2k)
    monkeypatch.setenv("COLUMNS", "400")
    assert listed(capsys)["flickr2k"][1] == "over 11.6 GB"


def test_get_tells_where_each_part_is_and_on_whose_terms(data, capsys):
    main(["get", "toy", "--out", str(data / "here"), "--part", "train"])
    assert capsys.readouterr().out == f"toy: 3 images in {data / 'here' / 'train'}\nterms: CC0\n"
    main(["get", "album"])
    assert capsys.readouterr().out == f"album: 3 images in {data / 'album'}\nterms: CC0\n"


def test_a_name_or_part_that_is_not_there_is_an_error(data):
    with pytest.raises(DataError, match="did you mean 'album'"):
        main(["get", "albun"])
    with pytest.raises(DataError, match="no part 'test'"):
        main(["get", "toy", "--part", "test"])


def test_help_and_list_need_neither_torch_nor_numpy():
    script = """
import sys
from pdloss.commands.data import main
main([])
try:
    main(["--help"])
finally:
    assert not {"torch", "numpy"} & {*sys.modules}
"""
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert "div2k" in printed.stdout
    assert "PDLOSS_DATA" in printed.stdout
