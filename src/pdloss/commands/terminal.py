"""The terminal: output that no encoding stops, and what is said when a command cannot go on."""

import codecs
import io
import os
import platform
import sys
import tempfile
import traceback
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

_STAND_INS = {
    "↑": "^", "↓": "v", "→": ">", "←": "<", "–": "-", "—": "-", "−": "-", "…": "...", "·": "*", "×": "x", "÷": "/",
    "±": "+-", "≈": "~", "≥": ">=", "≤": "<=", "≠": "!=", "‘": "'", "’": "'", "“": '"', "”": '"', "•": "*",
    "²": "2", "³": "3", "°": " deg", "µ": "u", "μ": "u", "σ": "sigma", "λ": "lambda", "β": "beta", "α": "alpha",
    "ß": "ss", "━": "-", "╸": "-", "╺": "-", "✓": "+", "✗": "x", "\N{HAIR SPACE}": "", "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
_HANDLER = "pdloss-plain"


def any_encoding() -> None:
    """Lets standard output and error take every character: what their encoding lacks is written with plain letters.

    Windows gives a pipe or a file the encoding cp1252, which has no arrows; and a name that is not UTF-8 has letters
    that no encoding has.
    """
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def drop_output() -> None:
    """Sends what is still to be written to nowhere: whoever read it is gone, or there is no room for it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


def fault_sentence(error: BaseException, argv: Sequence[str]) -> str:
    """Returns what to say of a fault of ours, after writing its traceback to a file."""
    last = traceback.format_exception_only(error)[-1].strip().splitlines()[0]
    file = _logged(error, argv)
    where = f"the details are in {file}" if file else "PDLOSS_TRACEBACK=1 shows the details"
    return f"unexpected {last[:300]}; this is a fault of pdloss: {where}; please report it with them to its authors"


def _logged(error: BaseException, argv: Sequence[str]) -> Path | None:
    """Returns the file that the traceback was written to: in the cache, else in the folder of temporary files."""
    from pdloss import __version__
    from pdloss.files import cache_folder

    text = f"pdloss {__version__}, Python {platform.python_version()}, {platform.platform()}\n{list(argv)}\n\n"
    text += "".join(traceback.format_exception(error))
    name = f"pdloss-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    for folder in (cache_folder() / "faults", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("x", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return folder / name
    return None


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Returns plain letters for those that cannot be encoded, and where to go on; the error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_letter, error.object[error.start : error.end])), error.end


def _letter(letter: str) -> str:
    if letter in _STAND_INS:
        return _STAND_INS[letter]
    if "\udc80" <= letter <= "\udcff":  # a byte of a name that is not UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return bare or "?"
