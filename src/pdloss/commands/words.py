"""What was typed, made ready for its verb: ``~`` expanded, and slips of keyboard and habit answered in one sentence."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pdloss.commands.habits import HABITS, OTHER_VERBS
from pdloss.errors import SpecError, UsageError
from pdloss.limits import check_seed
from pdloss.specs import suggestion

_FILES = {
    *("out", "data", "model", "init", "valid", "config", "csv", "json", "markdown", "latex", "degraded", "niqe-model"),
    *("set", "target", "export", "image", "images", "restored", "check", "answers", "boxes", "consent"),
}
"""Options whose values are names of files and folders, or of what becomes one."""

_HOME = re.compile(r"(?P<option>(?:--?)?[\w.\- ]+=)?(?P<path>~.*)", re.DOTALL)


def verb_sentence(word: str, verbs: Mapping[str, str]) -> str:
    """Returns what to say of a verb that there is not, with the nearest right one."""
    if word.startswith("-"):
        return f"{word} stands before the verb; the verb comes first, as in pdloss train {word} … (pdloss --help)"
    meant = next((verb for verb, words in OTHER_VERBS.items() if word.lower() in words.split()), None)
    if meant:
        return f"unknown command {word!r}; did you mean {meant!r} ({verbs[meant]})? pdloss --help lists all"
    return f"unknown command {word!r}{suggestion(word, verbs)}"


def prepared(verb: str, argv: Sequence[str]) -> list[str]:
    """Returns the verb's arguments with ``~`` expanded wherever a path may begin.

    A shell expands ``~`` at the beginning of a word only, and so leaves that of ``--out=~/x`` to us.

    Raises:
        UsageError: If an option is another program's, a file's name is empty, or what was typed is no text or no seed.
    """
    if list(argv) == ["help"]:
        return ["--help"]
    before = ""
    for argument in argv:
        _refuse_no_text(argument)
        option, equals, value = argument.partition("=")
        name = option.lstrip("-").replace("_", "-")
        if option.startswith("-"):
            _refuse_habit(verb, option, name)
        if equals and option.startswith("--"):
            _refuse_value(name, value)
        elif not argument.startswith("--"):
            _refuse_value(before, argument)
        before = name if argument.startswith("--") and not equals else ""
    return [_at_home(argument) for argument in argv]


def _refuse_no_text(argument: str) -> None:
    if "\0" in argument:
        raise UsageError(f"{argument!r} holds a NUL, which no name and no option can; take it out")


def _refuse_habit(verb: str, option: str, name: str) -> None:
    for habit in HABITS:
        if verb in habit.verbs.split() and name.lower() in habit.words.split():
            raise UsageError(f"{verb} has no {option}: {habit.cure}")


def _refuse_value(option: str, value: str) -> None:
    if option in _FILES and not value.strip():
        raise UsageError(f"--{option} is empty, which names no file; was a variable of the shell not set?")
    if option == "seed" and re.fullmatch(r"[+-]?\d+", value):
        try:
            check_seed(int(value[:30]))  # more digits than any seed has, and few enough to be read at once
        except SpecError as error:
            raise UsageError(str(error)) from None


def _at_home(argument: str) -> str:
    """Returns the argument with a user's home for ``~``, where it begins or follows ``=``; unknown users stay."""
    match = _HOME.fullmatch(argument)
    if not match:
        return argument
    try:
        return (match["option"] or "") + str(Path(match["path"]).expanduser())
    except RuntimeError:  # nobody of that name
        return argument
