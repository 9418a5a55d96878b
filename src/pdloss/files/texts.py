"""Text files as people's programs save them: with a mark of the byte order, in UTF-8 or in UTF-16."""

import codecs

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def utf8(data: bytes) -> bytes:
    r"""Returns a text file's bytes in UTF-8, without the mark that Notepad, PowerShell and spreadsheets put in front.

    Raises:
        UnicodeDecodeError: If a mark promises UTF-16 and the rest is none.

    Example:
        >>> utf8(b"\xef\xbb\xbf{}"), utf8(b"\xff\xfe{\x00}\x00"), utf8(b"{}")
        (b'{}', b'{}', b'{}')
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            rest = data[len(mark) :]
            return rest if encoding == "utf-8" else rest.decode(encoding).encode()
    return data
