"""Texts as Notepad, PowerShell and spreadsheets save them."""

import pytest

from pdloss.files import utf8


@pytest.mark.parametrize("text", ["", "{}", "é ↑ 雪", "a\r\nb"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_text_is_the_same_in_every_dress(text: str, encoding: str) -> None:
    assert utf8(text.encode(encoding)) == text.encode()


def test_bytes_without_a_mark_are_left_alone() -> None:
    assert utf8(b"\x89PNG\xff\xfe") == b"\x89PNG\xff\xfe"


def test_half_a_letter_is_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        utf8("a".encode("utf-16") + b"x")
