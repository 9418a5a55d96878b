"""Which files are taken for pictures."""

from pdloss.picture_files import SUFFIXES
from pdloss.picture_files.formats import UNREAD


def test_no_suffix_is_both_read_and_not() -> None:
    assert not set(SUFFIXES) & UNREAD.keys()
