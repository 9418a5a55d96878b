"""Archives that are what they should be, and archives that would like to write elsewhere."""

import io
import stat
import tarfile
import zipfile

import pytest

from pdloss.files.archives import ArchiveError, unpack
from tests.photo_sets.toys import tarred, zipped

FILES = {
    "SET/images/a.png": b"one",
    "SET/images/B.JPG": b"three",
    "SET/images/notes.txt": b"no image",
    "SET/images/._a.png": b"hidden",
    "SET/images/below/c.png": b"too deep",
    "SET/d.png": b"not deep enough",
    "e.png": b"elsewhere",
}
WRAPPERS = [zipped, tarred, lambda files: tarred(files, "w"), lambda files: tarred(files, "w:xz")]


@pytest.fixture
def unpacked(tmp_path):
    def unpacked(body, inside="SET/images"):
        (tmp_path / "archive").write_bytes(body)
        return unpack(tmp_path / "archive", inside, tmp_path / "out" / "images", (".png", ".jpg"))

    (tmp_path / "out").mkdir()
    return unpacked


def written(tmp_path):
    return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} - {"archive"}


@pytest.mark.parametrize("wrap", WRAPPERS, ids=["zip", "tgz", "tar", "xz"])
def test_only_images_that_lie_directly_in_the_folder_are_taken(wrap, tmp_path, unpacked):
    assert unpacked(wrap(FILES)) == {"a.png": 3, "B.JPG": 5}
    assert written(tmp_path) == {"out/images/a.png", "out/images/B.JPG"}
    assert (tmp_path / "out/images/B.JPG").read_bytes() == b"three"


def test_a_leading_dot_in_the_names_is_nothing(unpacked):
    assert unpacked(tarred({"./SET/images/a.png": b"one"})) == {"a.png": 3}


@pytest.mark.parametrize("wrap", WRAPPERS[:2], ids=["zip", "tgz"])
@pytest.mark.parametrize(
    "name", ["SET/images/../../evil.png", "/SET/images/evil.png", "../SET/images/evil.png", "SET/images/../evil.png"]
)
def test_names_that_lead_elsewhere_write_nothing(wrap, name, tmp_path, unpacked):
    assert unpacked(wrap({name: b"evil", "SET/images/a.png": b"one"})) == {"a.png": 3}
    assert written(tmp_path) == {"out/images/a.png"}


@pytest.mark.parametrize("wrap", WRAPPERS[:2], ids=["zip", "tgz"])
@pytest.mark.parametrize("name", ["x\\..\\evil.png", "C:evil.png"])
def test_names_that_are_paths_on_other_systems_are_refused(wrap, name, tmp_path, unpacked):
    with pytest.raises(ArchiveError, match="is no plain name"):
        unpacked(wrap({f"SET/images/{name}": b"evil"}))
    assert written(tmp_path) == set()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_a_tar_with_links_or_devices_is_refused(kind, tmp_path, unpacked):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("SET/images/a.png")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(ArchiveError, match="SET/images/a.png in it is no plain file"):
        unpacked(file.getvalue())
    assert written(tmp_path) == set()


def test_a_zip_with_links_is_refused(tmp_path, unpacked):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("SET/images/a.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(ArchiveError, match="is no plain file"):
        unpacked(file.getvalue())
    assert written(tmp_path) == set()


def test_a_name_twice_is_refused(unpacked):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for body in (b"one", b"other"):
            entry = tarfile.TarInfo("SET/images/a.png")
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    with pytest.raises(ArchiveError, match="holds SET/images/a.png twice"):
        unpacked(file.getvalue())


def flipped(body, at):
    return body[:at] + bytes([body[at] ^ 255]) + body[at + 1 :]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        zipped(FILES)[:60],
        flipped(zipped({"SET/images/a.png": bytes(range(256))}), 60),
        tarred(FILES)[:-20],
        flipped(tarred({"SET/images/a.png": bytes(range(256))}), 60),
    ],
    ids=["empty", "page", "zip-cut", "zip-damaged", "tgz-cut", "tgz-damaged"],
)
def test_what_is_no_archive_or_a_damaged_one_is_refused(body, unpacked):
    with pytest.raises(ArchiveError, match="no archive, or damaged"):
        unpacked(body)


@pytest.mark.parametrize("wrap", WRAPPERS, ids=["zip", "tgz", "tar", "xz"])
def test_an_archive_that_unpacks_to_far_more_than_itself_is_given_up(wrap, tmp_path, unpacked, monkeypatch):
    monkeypatch.setattr("pdloss.files.archives.ARCHIVE_LEAST", 1 << 16)
    zeros = {f"SET/images/{name}.png": bytes(3_000_000) for name in "ab"}
    if wrap is WRAPPERS[2]:  # a tar that is not compressed holds what it holds
        assert set(unpacked(wrap(zeros))) == {"a.png", "b.png"}
        return
    with pytest.raises(ArchiveError, match="more than 20 times its own size"):
        unpacked(wrap(zeros))
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*.png")) <= 1 << 20


@pytest.mark.parametrize("wrap", WRAPPERS[:2], ids=["zip", "tgz"])
def test_an_archive_of_endless_members_is_given_up(wrap, unpacked, monkeypatch):
    monkeypatch.setattr("pdloss.files.archives.ARCHIVE_MEMBERS", 5)
    with pytest.raises(ArchiveError, match="more than 5 members"):
        unpacked(wrap({f"elsewhere/{i}": b"x" for i in range(6)}))
