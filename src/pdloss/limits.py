"""How much of what came in a file is looked at: a bound for each, far above what is honest, with its reason.

A file that somebody passes on may be made to take all memory, or hours. Each reader asks here before it begins.
"""

import json
import os
from pathlib import Path
from typing import Any

SPEC_LETTERS = 4000
"""Of one choice as text. The longest that the library writes, with every option, has some 700."""
SPEC_TERMS = 64
"""Of a sum or a chain. Every loss that there is, in one sum, makes 18."""
SPEC_DEPTH = 80
"""Of brackets and operators, one inside the other; a sum of 64 terms is 64 deep, its options add a few."""

RECORD_BYTES = 256 << 20
"""Of a JSON file. The scores of a million pictures, or the log of a million steps, fit."""
RECORD_DEPTH = 32
"""Of brackets in a JSON text; the library's own are 6 deep. Python's reader follows a thousand, then breaks off."""

HEADER_BYTES = 16 << 20
"""Of the header of a safetensors file: a hundred thousand tensors. The format allows 100 MB of JSON, which take a
gigabyte once read."""

ARCHIVE_MEMBERS = 200_000
"""Of an archive. Flickr2K's, the largest in the catalogue, has about 19,000."""
ARCHIVE_RATIO = 20
"""How many times larger than the archive all that is unpacked may be. Photographs hardly shrink: PNG and JPEG files
stay within 1.1; a bomb of zeros reaches 1,000."""
ARCHIVE_LEAST = 64 << 20
"""Bytes that any archive may unpack to, however small it is."""


def bounded(path: Path, most: int, what: str) -> bytes:
    """Returns the content of a file of at most `most` bytes.

    Raises:
        ValueError: If it is larger, with both sizes; nothing is read then.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ValueError(f"it has {size:,} bytes, and a {what} at most {most:,}")
        content = file.read(most + 1)
    if len(content) > most:  # it grew, or is no plain file
        raise ValueError(f"it has more than {most:,} bytes, the most that a {what} may have")
    return content


def check_depth(text: bytes) -> None:
    """Refuses JSON whose brackets lie too deep inside each other for Python's readers.

    Raises:
        ValueError: With the bound.

    Example:
        >>> check_depth(b'{"a": [1, 2, "[[["]}')
    """
    # Bytes outside of strings, for all that is valid JSON: what is not, its reader refuses.
    depth = 0
    for part in text.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2]:
        if part.count(b"[") + part.count(b"{") + depth <= RECORD_DEPTH:
            depth += part.count(b"[") + part.count(b"{") - part.count(b"]") - part.count(b"}")
            continue
        for byte in part:
            depth += (byte in b"[{") - (byte in b"]}")
            if depth > RECORD_DEPTH:
                raise ValueError(f"its brackets lie more than {RECORD_DEPTH} deep in each other")


def read_json(text: bytes | str) -> Any:
    """Returns the value of a JSON text, whose brackets lie at most `RECORD_DEPTH` deep in each other.

    Raises:
        ValueError: If it is no JSON, or deeper.
    """
    check_depth(text.encode() if isinstance(text, str) else text)
    return json.loads(text)
