"""How much of what came in a file is looked at: a bound for each, far above what is honest, with its reason.

A file that somebody passes on may be made to take all memory, or hours. Each reader asks here before it begins.
"""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from pdloss.errors import SpecError

SPEC_LETTERS = 20_000
"""Of one choice as text. A term with every option has some 200, and there are at most `SPEC_TERMS` of them."""
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

NETWORK_PARAMETERS = 1_000_000_000
"""Of a network that a text names. The largest published one of a kind that pdloss has, NAFNet's, has 116 million; two
numbers in a text could ask for three hundred billion, a terabyte."""

ARCHIVE_MEMBERS = 200_000
"""Of an archive. Flickr2K's, the largest in the catalogue, has about 19,000."""
ARCHIVE_RATIO = 20
"""How many times larger than the archive all that is unpacked may be. Photographs hardly shrink: PNG and JPEG files
stay within 1.1; a bomb of zeros reaches 1,000."""
ARCHIVE_LEAST = 64 << 20
"""Bytes that any archive may unpack to, however small it is."""


ARRAYS_BYTES = 4 << 30
"""Of an NPZ file, unpacked. The checkpoints that are converted have some 100 MB, a set of blur kernels a few."""

LARGEST_SEED = 2**64 - 1
"""torch's generators take seeds of 64 bits."""


def check_seed(seed: int) -> None:
    """Refuses a seed that the generators cannot take.

    Raises:
        SpecError: With the bounds.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise SpecError(f"--seed must be from 0 to {LARGEST_SEED} (2^64 - 1), got {seed}")


def check_arrays(file: BinaryIO) -> None:
    """Refuses an NPZ file that would unpack to more than `ARRAYS_BYTES`.

    Raises:
        ValueError: With both sizes.
        zipfile.BadZipFile: If it is no such file.
    """
    with zipfile.ZipFile(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    file.seek(0)
    if size > ARRAYS_BYTES:
        raise ValueError(f"it unpacks to {size:,} bytes, and at most {ARRAYS_BYTES:,} are read")


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


def check_header(path: Path) -> None:
    """Refuses a safetensors file whose header is too large or too deep to be read safely; does not read the tensors.

    Raises:
        ValueError: Saying why.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        read_header(file)


def read_header(file: io.BufferedIOBase) -> dict[str, Any]:
    """Returns the JSON header of a safetensors file; reading then stands at the first tensor.

    Raises:
        ValueError: If it is not a safetensors file, or its header is larger or deeper than any honest one.
    """
    size = int.from_bytes(file.read(8), "little")
    if not 2 <= size <= HEADER_BYTES:
        raise ValueError("no safetensors header" if size < 2 or size >> 40 else f"a header of {size:,} bytes")
    text = file.read(size)
    header = read_json(text)
    if len(text) != size or not isinstance(header, dict):
        raise ValueError("no safetensors header")
    return header


def read_json(text: bytes | str) -> Any:
    """Returns the value of a JSON text, whose brackets lie at most `RECORD_DEPTH` deep in each other.

    Raises:
        ValueError: If it is no JSON, or deeper.
    """
    check_depth(text.encode() if isinstance(text, str) else text)
    return json.loads(text)
