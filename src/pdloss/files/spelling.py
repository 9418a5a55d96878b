r"""Names of files as text that can be printed and written to JSON, whatever bytes they are made of.

A byte that is not UTF-8, and a character that steers a terminal, such as the end of a line, become ``\x`` and two
hexadecimal digits; so does a backslash that would look like one of these. Every other name is its own text.
"""

import os
import re
from pathlib import Path

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]")
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f\udc80-\udcff]|\\(?=x[0-9a-f]{2})")
# No more than that is read back: no text can spell a dot or a slash in a way that checks of paths do not see.
_SPELLED = re.compile(r"\\x(0[1-9a-f]|1[0-9a-f]|5c|7f|[89a-f][0-9a-f])")


def spelled(name: str | os.PathLike[str]) -> str:
    r"""Returns a name or path as text of one line.

    Example:
        >>> spelled("caf\udce9 1.png"), spelled("two\nlines"), spelled("100% [#1] .png")
        ('caf\\xe9 1.png', 'two\\x0alines', '100% [#1] .png')
    """
    return _UNSPEAKABLE.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", os.fspath(name))


def printable(text: str) -> str:
    r"""Returns a sentence, which may hold names spelled and unspelled, as one line that can be printed.

    Example:
        >>> printable("cannot read caf\udce9.png"), printable(printable("caf\udce9.png"))
        ('cannot read caf\\xe9.png', 'caf\\xe9.png')
    """
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", text)


def as_path(text: str) -> Path:
    r"""Returns the path whose text this is; what `spelled` has written is found again.

    Example:
        >>> as_path(spelled("caf\udce9/two\nlines")) == Path("caf\udce9/two\nlines")
        True
    """
    return Path(_SPELLED.sub(lambda found: _character(int(found[1], 16)), text))


def _character(byte: int) -> str:
    return chr(byte if byte < 0x80 else 0xDC00 + byte)  # as Python writes a byte that it cannot decode
