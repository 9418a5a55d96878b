"""What a check is, and what it says."""

from pdloss.conformance import CHECKS


def test_every_check_says_in_one_sentence_why_it_must_hold() -> None:
    for checks in CHECKS.values():
        assert len({check.name for check in checks}) == len(checks)
        assert all(check.why.endswith(".") and len(check.why) > 40 for check in checks)
