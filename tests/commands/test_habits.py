"""What people type who are used to other programs: each word belongs to a verb and to one cure."""

import contextlib
import io

import pytest

from pdloss.cli import VERBS, main
from pdloss.commands.habits import HABITS, OTHER_VERBS
from pdloss.commands.words import prepared, verb_sentence
from pdloss.errors import UsageError


@pytest.mark.parametrize("spelled", ["--batch_size", "--batch-size=4", "--Batch-Size", "-bs"])
def test_a_habit_is_known_however_it_is_spelled(spelled: str) -> None:
    with pytest.raises(UsageError, match=r"train has no .*: write --batch"):
        prepared("train", [spelled, "4"])


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "study"])
def test_no_habit_hides_an_option_of_the_verb_s_own(verb: str) -> None:
    words = {word for habit in HABITS if verb in habit.verbs.split() for word in habit.words.split()}
    pages = {"figure": [["crops"], ["framework"]], "niqe": [["fit"]], "data": [["get"]], "assets": [["get"]]}
    for more in pages.get(verb, [[]]):
        said = io.StringIO()
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(said):
            main([verb, *more, "--help"])
        own = {word.strip("[],").lstrip("-") for word in said.getvalue().split() if word.startswith(("-", "[-"))}
        assert "help" in own, verb
        assert not words & own


def test_every_habit_belongs_to_a_verb_and_to_one_cure_for_it() -> None:
    for verb in VERBS:
        words = [word for habit in HABITS if verb in habit.verbs.split() for word in habit.words.split()]
        assert len(words) == len(set(words)), sorted(word for word in words if words.count(word) > 1)
    assert {verb for habit in HABITS for verb in habit.verbs.split()} <= set(VERBS)


def test_other_programs_verbs_are_none_of_ours_and_have_one_meaning() -> None:
    words = [word for each in OTHER_VERBS.values() for word in each.split()]
    assert len(words) == len(set(words)) and not set(words) & set(VERBS)
    assert set(OTHER_VERBS) <= set(VERBS)
    assert "did you mean 'evaluate'" in verb_sentence("test", VERBS)
