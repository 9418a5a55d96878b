"""Names that are no text still have one, which gives the name back."""

import json
import os

import pytest

from pdloss.files.spelling import as_path, spelled

NAMES = [b"caf\xe9.png", b"two\nlines.png", b"\x1b[31m.png", b"100% [#1]  .png", b"a\\xe9.png", b"\\x5c", "é".encode()]


@pytest.mark.parametrize("raw", NAMES)
def test_any_name_becomes_one_line_of_text_and_comes_back(raw: bytes) -> None:
    text = spelled(os.fsdecode(raw))
    assert text.encode() and text.isprintable()
    assert os.fsencode(as_path(json.loads(json.dumps(text)))) == raw


def test_no_two_names_have_one_text() -> None:
    assert len({spelled(os.fsdecode(raw)) for raw in NAMES}) == len(NAMES)


def test_no_text_hides_a_path_in_escapes() -> None:
    for text in (r"\x2e\x2e\x2fa", r"\x00", r"\x41"):
        assert str(as_path(text)) == text


def test_names_that_are_text_stay_what_they_are() -> None:
    for name in ("100% [#1]  .png", "naïve 漢字.png", "back\\slash.png", "tail .png "):
        assert spelled(name) == name
