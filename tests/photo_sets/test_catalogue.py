import re

import pytest

from pdloss.photo_sets.catalogue import SETS, Download
from tests.photo_sets.toys import pixels_hash

PARTS = [(photo_set, part) for photo_set in SETS.values() for part in photo_set.parts]
DOWNLOADS = {(photo_set.name, each) for photo_set, part in PARTS for each in part.downloads}


def test_the_sets_have_the_sizes_they_are_known_for():
    images = {name: {part.folder: part.images for part in known.parts} for name, known in SETS.items()}
    assert images == {
        "div2k": {"train": 800, "valid": 100},
        "flickr2k": {"train": 2650},
        "bsds500": {"train": 200, "valid": 100, "test": 200},
        "kodak24": {"": 24},
        "set5": {"": 5},
        "set14": {"": 14},
    }


@pytest.mark.parametrize(("name", "download"), sorted(DOWNLOADS, key=str))
def test_every_download_has_a_whole_checksum_and_an_address_of_its_own(name, download):
    digits = {"sha256": 64, "md5": 32, "pixels": 64}[download.kind]
    assert re.fullmatch(rf"{download.kind}:[0-9a-f]{{{digits}}}", download.checksum)
    assert re.fullmatch(r"https?://[^/]+/.+/[\w-]+\.(zip|tgz|tar|png)", download.url)
    assert sum(other.url == download.url or other.checksum == download.checksum for _, other in DOWNLOADS) == 1


@pytest.mark.parametrize(("known", "part"), PARTS, ids=lambda value: getattr(value, "name", None))
def test_a_part_is_one_archive_or_as_many_images(known, part):
    assert len(part.downloads) == (part.images if part.inside is None else 1)
    assert len({each.name for each in part.downloads}) == len(part.downloads)
    assert bool(part.inside) == (not part.downloads[0].name.endswith(".png"))
    assert known.terms and known.about


def test_the_name_and_kind_of_a_download_are_read_from_it():
    download = Download("https://example.org/a/b.zip", "md5:00")
    assert (download.name, download.kind) == ("b.zip", "md5")


@pytest.mark.parametrize("name", ["kodak24", "set5", "set14"])
def test_the_pixels_are_those_of_the_photographs(name, images_folder):
    (part,) = SETS[name].parts
    folder = images_folder / "valid" / name
    found = {file.name: f"pixels:{pixels_hash(file.read_bytes())}" for file in folder.glob("*.png")}
    assert found == {each.name: each.checksum for each in part.downloads}
