import hashlib

import numpy as np
import PIL.Image
import pytest
import torch

from pdloss.datasets import Crops, Photographs
from pdloss.errors import ImageError
from tests.datasets.coded import SIZES, coded


@pytest.mark.parametrize("cached", [False, True])
def test_hold_every_image_of_the_folder_as_it_is(cached, folder):
    for _ in range(2):  # the second time from what the first kept
        photographs = Photographs(folder, cached=cached)
        assert photographs.names == list(SIZES)
        assert len(photographs) == len(SIZES)
        for number, (name, size) in enumerate(SIZES.items()):
            expected = coded(number, *size)
            np.testing.assert_array_equal(photographs[number].permute(1, 2, 0).numpy(), expected, err_msg=name)
        assert photographs.notes == []
        assert photographs.skipped == {}
        assert photographs.smallest_side == 8


def digest_of(lines):
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_fingerprint_of_version_0_1_0_is_the_hash_of_names_and_file_sizes(folder):
    expected = digest_of(f"{name}\0{(folder / name).stat().st_size}\n" for name in SIZES)
    assert Photographs(folder).fingerprint_by_size == expected


@pytest.mark.parametrize("cached", [False, True])
def test_count_the_conversions(cached, folder):
    for name in ("f.png", "g.png"):
        PIL.Image.new("RGBA", (8, 8)).save(folder / name)
    PIL.Image.new("LA", (8, 8)).save(folder / "h.png")
    for _ in range(2):
        photographs = Photographs(folder, cached=cached)
        assert photographs.notes == ["3 files: alpha dropped", "1 file: grayscale converted to RGB"]


@pytest.mark.parametrize("cached", [False, True])
def test_report_progress_after_every_file(cached, folder):
    for _ in range(2):
        seen = []
        Photographs(folder, cached=cached, progress=lambda done, total: seen.append((done, total)))  # noqa: B023
        assert seen == [(done, len(SIZES)) for done in range(1, len(SIZES) + 1)]


@pytest.mark.parametrize("cached", [False, True])
def test_refuse_a_folder_with_a_damaged_file_and_keep_nothing(cached, folder):
    (folder / "d.png").write_bytes((folder / "d.png").read_bytes()[:-20])
    for _ in range(2):
        with pytest.raises(ImageError, match=r"d\.png: .*; --skip-damaged leaves such files out$"):
            Photographs(folder, cached=cached)


@pytest.mark.parametrize("cached", [False, True])
def test_leave_damaged_and_small_files_out_when_asked(cached, folder):
    (folder / "d.png").write_bytes(b"no image")
    for _ in range(2):
        photographs = Photographs(folder, cached=cached, skip_damaged=True, smallest=9)
        assert photographs.names == ["a.png", "c.bmp"]
        assert list(photographs.skipped) == ["b.png", "d.png", "e.png"]
        assert "not an image" in photographs.skipped["d.png"]
        assert "8x8 pixels" in photographs.skipped["b.png"]
        np.testing.assert_array_equal(photographs[1][0].numpy(), np.full(SIZES["c.bmp"], 2))


def test_what_was_kept_with_damage_left_out_is_refused_without(folder):
    (folder / "d.png").write_bytes(b"no image")
    Photographs(folder, cached=True, skip_damaged=True)
    with pytest.raises(ImageError, match="skip-damaged"):
        Photographs(folder, cached=True)
    with pytest.raises(ImageError, match="use a smaller --crop"):
        Photographs(folder, cached=True, smallest=10)


def test_refuse_a_folder_of_which_nothing_is_left(folder):
    with pytest.raises(ImageError, match=r"holds no usable image; the first: .*a\.png is 14x9 pixels"):
        Photographs(folder, skip_damaged=True, smallest=100)


def test_refuse_a_crop_larger_than_an_image_and_say_what_to_do(folder):
    sentence = r"b\.png is 8x8 pixels, smaller than the crop of 9x9; use a smaller --crop"
    with pytest.raises(ImageError, match=sentence):
        Photographs(folder, smallest=9)
    photographs = Photographs(folder, smallest=8)
    photographs.check_crop(8)
    with pytest.raises(ImageError, match=sentence):
        photographs.check_crop(9)
    with pytest.raises(ImageError, match=sentence):
        Crops(photographs, lambda clean, generator: clean, size=9, seed=0, batch=1)


def test_kept_pixels_need_no_file_again(folder):
    kept, unkept = Photographs(folder, cached=True), Photographs(folder)
    for path in list(folder.iterdir()):
        path.unlink()
    assert kept[4].shape == (3, 8, 17)
    with pytest.raises(ImageError, match=r"e\.png: No such file"):
        unkept[4]


def test_a_second_run_decodes_nothing(folder, monkeypatch):
    first = Photographs(folder, cached=True)
    monkeypatch.setattr("pdloss.datasets.sources.read_pixels", lambda path: pytest.fail(f"decoded {path}"))
    second = Photographs(folder, cached=True)
    assert all(torch.equal(first[i], second[i]) for i in range(len(first)))
    assert second.hashes == first.hashes


def test_a_file_that_changes_while_it_is_decoded_is_named(folder, monkeypatch):
    def changing(looked):
        if looked == (1, len(SIZES)):
            (folder / "b.png").write_bytes((folder / "a.png").read_bytes())

    with pytest.raises(ImageError, match=r"b\.png changed while the photographs were read; start again"):
        Photographs(folder, cached=True, progress=lambda *done: changing(done))


def test_writing_into_an_image_changes_nothing_for_others(folder):
    first, second = Photographs(folder, cached=True), Photographs(folder, cached=True)
    first[0].zero_()
    assert second[0].sum() > 0
    assert Photographs(folder, cached=True)[0].sum() > 0


def test_go_on_without_the_cache_where_it_cannot_be_written(folder, tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file, not a folder")
    monkeypatch.setenv("PDLOSS_CACHE", str(tmp_path / "cache"))
    photographs = Photographs(folder, cached=True)
    assert photographs[4].shape == (3, 8, 17)
    assert len(photographs.notes) == 1
    assert "cannot be kept" in photographs.notes[0]
    assert "PDLOSS_CACHE" in photographs.notes[0]


def test_leave_room_on_the_disk(folder, monkeypatch):
    monkeypatch.setattr("pdloss.datasets.decoded.SPARE_ROOM", 1 << 60)
    photographs = Photographs(folder, cached=True)
    assert "would stay free" in photographs.notes[0]
    assert torch.equal(photographs[2], Photographs(folder)[2])


def test_real_photographs_load_whole(images_folder):
    photographs = Photographs(images_folder / "valid" / "set5", smallest=96)
    assert photographs.skipped == {}
    pair = Crops(photographs, lambda clean, generator: clean, size=96, seed=0, batch=1)[0]
    with PIL.Image.open(images_folder / "valid" / "set5" / pair.name) as picture:
        whole = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)
    assert torch.equal(photographs[photographs.names.index(pair.name)], whole)
    assert 0 <= pair.target.min() < pair.target.max() <= 1
