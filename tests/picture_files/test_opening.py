"""Files are opened as pictures of the formats that are read, and as nothing else; what is none is called by name."""

import ast
import io
import struct
import threading
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import pdloss
from pdloss.errors import ImageError
from pdloss.picture_files import read
from pdloss.picture_files.opening import LIMIT, heard, opened

NOISE = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(NOISE).save(buffer, kind, **options)
    return buffer.getvalue()


def test_postscript_that_is_called_png_never_reaches_an_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was called"))
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n")
    with pytest.raises(ImageError, match=r"a\.png: it holds PostScript, which is not read; save it as PNG"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["GIF", "TGA", "PCX", "SGI", "ICO", "DDS", "PDF"])
def test_formats_that_are_not_read_are_refused_whatever_the_suffix(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(kind))
    with pytest.raises(ImageError, match=r"a\.png: (it holds (GIF|PDF), which is not read|not an image)"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("kind", "exact"), [("PNG", True), ("TIFF", True), ("BMP", True), ("PPM", True), ("JPEG", False)]
)
def test_formats_that_are_read_are_read_whatever_the_suffix(kind: str, exact: bool, tmp_path: Path) -> None:
    (tmp_path / "a.webp").write_bytes(encoded(kind))
    found = read(tmp_path / "a.webp")
    assert found.values.shape == NOISE.shape
    assert found.notes == []
    assert not exact or np.array_equal(found.values, NOISE)


@pytest.mark.parametrize(
    ("suffix", "kind", "options"),
    [(".jp2", "JPEG2000", {"irreversible": False}), (".avif", "AVIF", {"quality": 100, "subsampling": "4:4:4"})],
)
def test_formats_that_this_pillow_has_a_library_for_are_read(
    suffix: str, kind: str, options: dict[str, object], tmp_path: Path
) -> None:
    from pdloss.picture_files import SUFFIXES

    if suffix not in SUFFIXES:
        pytest.skip(f"this Pillow was built without {kind}")
    (tmp_path / f"a{suffix}").write_bytes(encoded(kind, **options))
    assert np.abs(read(tmp_path / f"a{suffix}").values.astype(int) - NOISE).mean() < 3


def crafted_tiff(tags: int) -> bytes:
    """A sound picture whose header has many tags with more entries than there are bytes."""
    picture = bytearray(encoded("TIFF"))
    (start,) = struct.unpack("<I", picture[4:8])
    (count,) = struct.unpack("<H", picture[start : start + 2])
    entries = picture[start + 2 : start + 2 + 12 * count]
    bad = b"".join(struct.pack("<HHII", 40000 + tag, 2, 999999, 0xFFFFFF) for tag in range(tags))
    directory = struct.pack("<H", count + tags) + entries + bad + bytes(4)
    at = len(picture)
    picture[4:8] = struct.pack("<I", at)
    return bytes(picture + directory)


def test_a_crafted_header_is_one_note_and_no_line_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.tif").write_bytes(crafted_tiff(2000))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        found = read(tmp_path / "a.tif")
    assert np.array_equal(found.values, NOISE)
    assert found.notes == ["faulty metadata ignored"]
    assert shown == []
    assert capfd.readouterr().err == ""


def test_warnings_of_others_are_left_to_them_and_filters_are_put_back() -> None:
    before = list(warnings.filters)
    ready, go = threading.Event(), threading.Event()

    def other_thread() -> None:
        with heard():
            ready.set()
            go.wait(10)

    thread = threading.Thread(target=other_thread)
    thread.start()
    ready.wait(10)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with heard() as said:
            warnings.warn("of somebody else", UserWarning, stacklevel=1)
        assert said == []
        assert [str(each.message) for each in shown] == ["of somebody else"]
    go.set()
    thread.join()
    assert list(warnings.filters) == before


def huge() -> bytes:
    import zlib

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    end = b"\x00\x00\x00\x00IEND\xaeB`\x82"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + end


def test_400_megapixels_are_refused_with_the_cure_or_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(huge())
    with pytest.raises(ImageError, match=r"400000000 pixels.*set PDLOSS_MAX_PIXELS to .*, or cut it up or make it sm"):
        read(tmp_path / "a.png")
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", PIL.Image.MAX_IMAGE_PIXELS)  # put back after the test
    monkeypatch.setenv(LIMIT, "400000000")
    with heard():
        assert opened(huge()).size == (20000, 20000)
    monkeypatch.setenv(LIMIT, "a lot")
    with pytest.raises(ImageError, match="PDLOSS_MAX_PIXELS is 'a lot', but must be a number of pixels"):
        read(tmp_path / "a.png")


def test_memory_that_runs_out_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    monkeypatch.setattr("pdloss.picture_files.reading.converted", no_memory)
    with pytest.raises(ImageError, match="memory is too small for it; cut it up or make it smaller"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("kind", [2, 3])
def test_a_tiff_that_pillow_cannot_read_is_not_called_damaged(kind: int, tmp_path: Path) -> None:
    values = NOISE.astype("<f4").tobytes()
    tags = [(256, 3, 1, 7), (257, 3, 1, 9), (258, 3, 3, 200), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 300)]
    tags += [(277, 3, 1, 3), (278, 3, 1, 9), (279, 4, 1, len(values)), (339, 3, 3, 206)]
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    head += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    head = head.ljust(200, b"\0") + struct.pack("<3H", 32, 32, 32) + struct.pack("<3H", kind, kind, kind)
    (tmp_path / "a.tif").write_bytes(head.ljust(300, b"\0") + values)
    word = {2: "signed", 3: "floating-point"}[kind]
    with pytest.raises(
        ImageError, match=rf"a TIFF of 3 {word} values of 32 bits for each pixel is not read; save it as"
    ):
        read(tmp_path / "a.tif")


def test_no_other_module_opens_pictures_of_users() -> None:
    package = Path(pdloss.__file__).parent
    opening = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "open":
                owner = ast.unparse(node.func.value)
                if owner in ("Image", "PIL.Image"):
                    opening.add(path.relative_to(package).as_posix())
    # What degradations/jpeg.py opens, it has written itself.
    assert opening == {"picture_files/opening.py", "degradations/jpeg.py"}
