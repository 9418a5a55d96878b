"""The one place where Pillow is asked to open a file: as a picture of a format that is read, and as nothing else.

Without a list of formats, Pillow goes by a file's content: a drawing in PostScript that is called ``.png`` would be
handed to Ghostscript, a program that runs what the file says.
"""

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.TiffImagePlugin

from pdloss.picture_files.formats import FORMATS

LIMIT = "PDLOSS_MAX_PIXELS"
"""Name of the variable that lets larger pictures in."""
_HEARD = 20
"""Warnings about one file that are kept: a crafted one makes thousands."""
_MAGIC = {
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF": "PDF",
    b"GIF8": "GIF",
    b"8BPS": "Photoshop",
    b"<svg": "SVG",
    b"<?xml": "XML",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
}
_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF", b"avif": "AVIF"}
_SAMPLES = {1: "unsigned", 2: "signed", 3: "floating-point"}

_lock = threading.Lock()
_inside = 0
_catcher: Any = None
_here = threading.local()


def opened(data: bytes) -> PIL.Image.Image:
    """Returns the picture in the bytes of a file; its pixels are not decoded yet.

    Raises:
        ValueError: If it is none of a format that is read, or is too large; the message says which.
    """
    _allow_pixels()
    try:
        return PIL.Image.open(io.BytesIO(data), formats=FORMATS)
    except PIL.UnidentifiedImageError:
        raise ValueError(_reason(data)) from None
    except PIL.Image.DecompressionBombError as error:
        raise ValueError(
            f"{str(error).partition(',')[0]}, since a small file may claim any size; if it is really so large, "
            f"set {LIMIT} to the pixels allowed, such as {LIMIT}=1000000000, or cut it up or make it smaller"
        ) from None


def size_of(path: Path) -> tuple[int, int]:
    """Returns width and height as a file's header has them; zeros where it cannot be read."""
    with suppress(Exception), heard(), PIL.Image.open(path, formats=FORMATS) as picture:
        return picture.size
    return 0, 0


@contextmanager
def heard() -> Iterator[list[str]]:
    """Keeps what Pillow warns of in this thread, to be said once and not on stderr; of the first ones only.

    Filters of warnings belong to the whole process. So the first thread that comes in sets them, and the last one that
    leaves sets them back.
    """
    global _inside, _catcher
    said: list[str] = []
    with _lock:
        _inside += 1
        if _inside == 1:
            _catcher = warnings.catch_warnings()
            _catcher.__enter__()
            warnings.filterwarnings("always", module=r"PIL\b")
            warnings.showwarning = _hearing(warnings.showwarning)
    _here.said = said
    try:
        yield said
    finally:
        _here.said = None
        with _lock:
            _inside -= 1
            if _inside == 0:
                _catcher.__exit__(None, None, None)


def _hearing(show: Any) -> Any:
    def hear(message: Warning | str, category: type[Warning], filename: str, *rest: Any, **more: Any) -> None:
        said = getattr(_here, "said", None)
        if said is None or f"{os.sep}PIL{os.sep}" not in filename:
            show(message, category, filename, *rest, **more)
        elif len(said) < _HEARD and not issubclass(category, PIL.Image.DecompressionBombWarning | DeprecationWarning):
            said.append(str(message))

    return hear


def _allow_pixels() -> None:
    if not (text := os.environ.get(LIMIT, "")):
        return
    if not text.isdigit():
        raise ValueError(f"{LIMIT} is {text!r}, but must be a number of pixels, such as 1000000000")
    PIL.Image.MAX_IMAGE_PIXELS = (int(text) + 1) // 2  # Pillow warns from there on, and refuses what is twice as large


def _reason(data: bytes) -> str:
    """Returns why the bytes are no picture that is read."""
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")
    kind = _BRANDS.get(data[8:12], "") if data[4:8] == b"ftyp" else kind
    if kind:
        return f"it holds {kind}, which is not read; save it as PNG"
    if data[:4] in (b"II*\0", b"MM\0*") and (said := _tiff(data)):
        return f"a TIFF of {said} is not read; save it as 8-bit or 16-bit TIFF or PNG"
    return "not an image, or damaged in its first bytes"


def _tiff(data: bytes) -> str:
    """Returns what a TIFF's header says of its values; nothing if it cannot be read."""
    file = io.BytesIO(data)
    try:
        tags = PIL.TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        bits, kinds = tags[258], tags.get(339, (1,))
    except Exception:  # of a damaged header, by a dozen kinds of exception
        return ""
    bits, kinds = (value if isinstance(value, tuple) else (value,) for value in (bits, kinds))
    values = "value" if len(bits) == 1 else "values"
    return f"{len(bits)} {_SAMPLES.get(kinds[0], 'other')} {values} of {bits[0]} bits for each pixel"
