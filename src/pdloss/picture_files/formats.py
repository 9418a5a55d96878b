"""Which files are taken for pictures, and which are known to be pictures that are not read."""

import warnings

import PIL.features

_ALWAYS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pbm": "PPM",
    ".pnm": "PPM",
}
# What Pillow reads where it was built with the library: suffix to format and Pillow's name of the library.
_WHERE_BUILT = {
    ".webp": ("WEBP", "webp"),
    ".avif": ("AVIF", "avif"),
    ".jp2": ("JPEG2000", "jpg_2000"),
    ".j2k": ("JPEG2000", "jpg_2000"),
}


def _built(library: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an older Pillow warns of a library that it does not know
        return bool(PIL.features.check(library))


_HERE = {suffix: kind for suffix, (kind, library) in _WHERE_BUILT.items() if _built(library)}

SUFFIXES = (*_ALWAYS, *_HERE)
"""Suffixes taken for pictures, in any case."""

FORMATS = tuple(sorted({*_ALWAYS.values(), *_HERE.values()}))
"""Pillow's names of the formats that are read; a file that holds any other is none, whatever its suffix."""

_OTHER = "save it as PNG"
UNREAD = {
    **dict.fromkeys((".heic", ".heif"), f"HEIC is not read: {_OTHER}"),
    ".gif": f"GIF has 256 colours at most and is not read: {_OTHER}",
    **dict.fromkeys((".jxl", ".exr", ".hdr", ".psd", ".tga", ".ico", ".dds", ".qoi", ".jpx", ".jpf"), _OTHER),
    **dict.fromkeys(
        (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"),
        "a camera's raw file is not read: develop it to PNG",
    ),
    **dict.fromkeys((".eps", ".ps", ".pdf", ".svg", ".ai", ".wmf", ".emf"), "a drawing is not read: save it as PNG"),
    **{suffix: f"this Pillow was built without {library}: {_OTHER}" for suffix, (_, library) in _WHERE_BUILT.items()},
}
for _suffix in SUFFIXES:
    UNREAD.pop(_suffix, None)
"""Suffixes of pictures that are passed over, with what to do about it."""
