"""Sets of photographs from a real server: whole, part by part, without room, and with something in the way."""

# ruff: noqa: F401, F811  (fixtures are imported, and then named again as arguments)

import collections
import contextlib
import hashlib
import io
import json
import shutil

import numpy as np
import PIL.Image
import pytest

from pdloss.errors import UserError
from pdloss.photo_sets import library
from pdloss.photo_sets.catalogue import SETS, PhotoSet
from pdloss.photo_sets.library import DataError, default_folder, get, state
from tests.mirror import mirror, serving
from tests.photo_sets.toys import (
    ALBUM,
    SPLITS,
    SPLITS_TGZ,
    TOY,
    TRAIN_ZIP,
    VALID,
    VALID_ZIP,
    albums,
    encoded,
    going_on,
    holds,
    know_sets,
    png,
    renamed,
    splits,
    toys,
)


def test_archives_are_unpacked_to_a_folder_for_each_part_and_not_fetched_again(tmp_path, mirror, toys, capsys):
    toys()
    out = tmp_path / "data" / "toy"
    assert get("toy", out) == out
    assert holds(out) == TOY
    assert sorted(path.name for path in out.iterdir() if path.suffix != ".lock") == ["photo_set.json", "train", "valid"]
    assert "train.zip: unpacking 3 images" in capsys.readouterr().err
    assert get("toy", out) == get("toy", out, "train") == out
    assert mirror.requests == {"/train.zip": 1, "/valid.zip": 1}
    assert capsys.readouterr() == ("", "")


def test_the_record_tells_what_was_fetched_and_how_it_was_verified(tmp_path, mirror, toys):
    toys()
    get("toy", tmp_path, "valid", progress=False)
    url = SETS["toy"].parts[1].downloads[0].url
    sha256 = hashlib.sha256(VALID_ZIP).hexdigest()
    files = {path.split("/")[1]: len(body) for path, body in VALID.items()}
    assert json.loads((tmp_path / "photo_set.json").read_text()) == {
        "set": "toy",
        "terms": "CC0",
        "parts": {"valid": {"files": files, "sha256": {url: sha256}, "checked": {url: f"sha256:{sha256}"}}},
    }


def test_one_part_can_be_fetched_and_later_the_rest(tmp_path, mirror, toys):
    toys()
    get("toy", tmp_path, "valid", progress=False)
    assert holds(tmp_path) == renamed(VALID, TOY_valid="valid")
    assert [state("toy", part, tmp_path) for part in SETS["toy"].parts] == ["not here", "here"]
    get("toy", tmp_path, progress=False)
    assert holds(tmp_path) == TOY
    assert mirror.requests == {"/train.zip": 1, "/valid.zip": 1}


@pytest.mark.parametrize(("part", "expected"), [(None, ["train", "valid"]), ("valid", ["valid"])])
def test_parts_of_one_archive_share_its_download(part, expected, tmp_path, mirror, know_sets):
    know_sets(splits(mirror.url("/splits.tgz", serving(SPLITS_TGZ))))
    get("splits", tmp_path, part, progress=False)
    everything = renamed(SPLITS, train="train", val="valid")
    assert holds(tmp_path) == {path: body for path, body in everything.items() if path.split("/")[0] in expected}
    assert mirror.requests == {"/splits.tgz": 1}


def test_single_images_lie_in_the_folder_itself_and_are_known_by_their_pixels(tmp_path, mirror, albums):
    with PIL.Image.open(io.BytesIO(ALBUM["k22.png"])) as picture:
        again = encoded(np.asarray(picture), compress_level=0)
    assert again != ALBUM["k22.png"]
    albums(k22=again)
    get("album", tmp_path, progress=False)
    assert holds(tmp_path) == ALBUM | {"k22.png": again}
    get("album", tmp_path, progress=False)
    assert set(mirror.requests.values()) == {1}


def test_room_for_downloads_and_images_is_looked_for_before_anything_is_asked(tmp_path, mirror, toys, monkeypatch):
    toys()
    usage = collections.namedtuple("usage", "total used free")
    need = 2 * len(TRAIN_ZIP) + 2 * len(VALID_ZIP)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, need - 1))
    with pytest.raises(DataError) as error:
        get("toy", tmp_path, progress=False)
    assert str(error.value) == (
        f"cannot keep toy in {tmp_path}: {need / 1000:.3g} kB are needed and {(need - 1) / 1000:.3g} kB are free; "
        "make room, or choose another --out"
    )
    assert not mirror.requests
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, need))
    get("toy", tmp_path, progress=False)


def test_what_came_already_needs_no_room(tmp_path, toys, monkeypatch):
    toys(train=going_on(TRAIN_ZIP, cut=1000))
    with pytest.raises(DataError, match="1 kB that came so far are kept"):
        get("toy", tmp_path, "train", progress=False)
    toys()
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 2 * len(TRAIN_ZIP) - 1000))
    get("toy", tmp_path, "train", progress=False)


def test_who_waited_for_another_process_does_not_fetch_again(tmp_path, mirror, toys, monkeypatch):
    toys()
    alone = library.alone

    @contextlib.contextmanager
    def after_another(target, progress):
        monkeypatch.setattr(library, "alone", alone)
        get("toy", tmp_path, progress=False)
        with alone(target, progress):
            yield

    monkeypatch.setattr(library, "alone", after_another)
    get("toy", tmp_path, progress=False)
    assert mirror.requests == {"/train.zip": 1, "/valid.zip": 1}
    assert holds(tmp_path) == TOY


class TestWhatStandsInTheWay:
    def test_a_folder_of_somebody_else_is_not_touched(self, tmp_path, mirror, toys):
        toys()
        (tmp_path / "valid").mkdir()
        (tmp_path / "valid" / "mine.txt").write_text("mine")
        with pytest.raises(DataError, match="valid exists already; move it away, or choose another --out"):
            get("toy", tmp_path, progress=False)
        assert holds(tmp_path) == {"valid/mine.txt": b"mine"}
        assert not mirror.requests

    def test_an_empty_folder_does_not(self, tmp_path, toys):
        toys()
        (tmp_path / "train").mkdir()
        get("toy", tmp_path, progress=False)
        assert holds(tmp_path) == TOY

    @pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"")])
    def test_a_fetched_folder_that_has_changed_is_told(self, damage, tmp_path, toys):
        toys()
        get("toy", tmp_path, progress=False)
        damage(tmp_path / "train" / "0002.png")
        assert [state("toy", part, tmp_path) for part in SETS["toy"].parts] == ["changed", "here"]
        with pytest.raises(DataError, match="train has changed since it was fetched; move it away"):
            get("toy", tmp_path, progress=False)
        shutil.rmtree(tmp_path / "train")
        get("toy", tmp_path, progress=False)
        assert holds(tmp_path) == TOY

    def test_of_single_images_only_what_is_missing_is_fetched(self, tmp_path, mirror, albums):
        albums()
        get("album", tmp_path, progress=False)
        (tmp_path / "k22.png").unlink()
        get("album", tmp_path, progress=False)
        assert holds(tmp_path) == ALBUM
        assert mirror.requests == {"/k21.png": 1, "/k22.png": 2, "/k23.png": 1}

    def test_another_image_of_the_same_name_is_not_overwritten(self, tmp_path, albums):
        albums()
        (tmp_path / "k22.png").write_bytes(png(99))
        with pytest.raises(DataError, match="k22.png is not the published image, its SHA-256 of the pixels begins"):
            get("album", tmp_path, progress=False)
        assert (tmp_path / "k22.png").read_bytes() == png(99)

    def test_a_folder_holds_one_set_only(self, tmp_path, mirror, toys):
        toys()
        get("toy", tmp_path, "valid", progress=False)
        SETS["other"] = PhotoSet("other", "", "", SETS["toy"].parts)
        with pytest.raises(DataError, match=f"{tmp_path} holds toy, not other; choose another --out"):
            get("other", tmp_path, progress=False)
        del SETS["other"]

    def test_a_damaged_record_is_told(self, tmp_path, toys):
        toys()
        (tmp_path / "photo_set.json").write_text("{")
        with pytest.raises(DataError, match="photo_set.json is not a FetchedSet: .*; move .* away, or choose another"):
            get("toy", tmp_path, progress=False)

    def test_a_file_in_place_of_the_folder_is_told(self, tmp_path, toys):
        toys()
        (tmp_path / "file").touch()
        with pytest.raises(
            DataError, match="cannot keep toy in .*file: .*; make it writable, or choose another --out$"
        ):
            get("toy", tmp_path / "file", progress=False)


def test_leftovers_of_another_edition_are_removed(tmp_path, toys):
    toys()
    work = tmp_path / ".unfinished"
    (work / "train").mkdir(parents=True)
    (work / "train" / "0001.png").write_bytes(b"half")
    (work / "train.zip.0123456789ab.part").write_bytes(b"of a file that is no longer served")
    get("toy", tmp_path, progress=False)
    assert holds(tmp_path) == TOY


def test_a_link_in_the_place_of_unfinished_work_is_refused_and_nothing_removed(tmp_path, toys):
    toys()
    foreign, out = tmp_path / "foreign", tmp_path / "set"
    (foreign / "years").mkdir(parents=True)
    out.mkdir()
    (out / ".unfinished").symlink_to(foreign)
    with pytest.raises(UserError, match="symbolic link"):
        get("toy", out, progress=False)
    assert (foreign / "years").is_dir()


def test_of_a_link_among_unfinished_work_only_the_link_is_removed(tmp_path, toys):
    toys()
    foreign, out = tmp_path / "foreign", tmp_path / "set"
    (foreign / "years").mkdir(parents=True)
    (out / ".unfinished").mkdir(parents=True)
    (out / ".unfinished" / "train").symlink_to(foreign)
    get("toy", out, progress=False)
    assert (foreign / "years").is_dir()
    assert not (out / ".unfinished").exists()


def test_the_other_parts_beginning_stays(tmp_path, mirror, toys):
    asked = []
    toys(valid=going_on(VALID_ZIP, asked, cut=700))
    with pytest.raises(DataError):
        get("toy", tmp_path, "valid", progress=False)
    get("toy", tmp_path, "train", progress=False)
    with pytest.raises(DataError):
        get("toy", tmp_path, "valid", progress=False)
    assert asked == [None, "bytes=700-"]


def test_unknown_names_are_told_the_known_ones(tmp_path, toys, albums):
    toys()
    with pytest.raises(DataError, match="unknown set of photographs 'toi'; did you mean 'toy'. Known: toy"):
        get("toi", tmp_path)
    with pytest.raises(DataError, match="toy has no part 'test'; choose from train, valid"):
        get("toy", tmp_path, "test")
    albums()
    with pytest.raises(DataError, match="album has no part 'train'; it is in one piece: leave --part out"):
        get("album", tmp_path, "train")


def test_offline_is_told_and_nothing_is_asked(tmp_path, mirror, toys, monkeypatch):
    toys()
    monkeypatch.setenv("PDLOSS_OFFLINE", "1")
    with pytest.raises(
        DataError, match="toy is not in .*, and PDLOSS_OFFLINE forbids a download; run 'pdloss data get"
    ):
        get("toy", tmp_path)
    assert not mirror.requests


def test_a_set_lies_below_data_unless_a_variable_says_otherwise(tmp_path, toys, monkeypatch):
    toys()
    monkeypatch.delenv("PDLOSS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    get("toy", part="valid", progress=False)
    assert (tmp_path / "data" / "toy" / "valid" / "0801.png").exists()
    monkeypatch.setenv("PDLOSS_DATA", str(tmp_path / "elsewhere"))
    assert default_folder("toy") == tmp_path / "elsewhere" / "toy"


def test_where_only_an_md5_is_published_the_sha256_is_shown_kept_and_demanded(tmp_path, mirror, know_sets, capsys):
    know_sets(splits(url := mirror.url("/splits.tgz", going_on(SPLITS_TGZ))))
    get("splits", tmp_path, "train")
    sha256 = hashlib.sha256(SPLITS_TGZ).hexdigest()
    assert f"splits.tgz: SHA-256 {sha256}; only an MD5 is published" in capsys.readouterr().err
    record = tmp_path / "photo_set.json"
    whole = record.read_text()
    assert json.loads(whole)["parts"]["train"]["sha256"] == {url: sha256}
    record.write_text(whole.replace(sha256, "0" * 64))  # as if another file of the same MD5 had come first
    with pytest.raises(DataError, match=f"is not what it was: its SHA-256 is {sha256}, and what came first had 0000"):
        get("splits", tmp_path, "valid", progress=False)
    assert not (tmp_path / "valid").exists()
    assert holds(tmp_path) == {name.removeprefix("B/images/"): body for name, body in SPLITS.items() if "train" in name}
    record.write_text(whole)
    get("splits", tmp_path, "valid", progress=False)
    assert len(list((tmp_path / "valid").iterdir())) == 2


def test_every_address_of_the_catalogue_is_asked_in_secret_or_its_answer_proven_by_sha256():
    from pdloss.photo_sets.catalogue import _SETS

    downloads = {each for known in _SETS for part in known.parts for each in part.downloads}
    assert all(each.url.startswith("https://") or not each.forgeable for each in downloads)
    assert {each.name for each in downloads if each.forgeable} == {"Flickr2K.tar", "BSR_bsds500.tgz"}
