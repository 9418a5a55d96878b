"""What raters read unless the researcher writes it."""

from pathlib import Path

from pdloss.errors import SpecError
from pdloss.files import utf8
from pdloss.study.records import Reference

QUESTIONS: dict[Reference, str] = {
    "hidden": "Which picture looks better?",
    "shown": "Which of the two pictures is closer to the original in the middle?",
    "demand": "Which picture is closer to the original?",
}

CONSENT = """This is a study of how pictures look to people. You will see two pictures side by side, again and again, \
and choose one of them each time. It takes a few minutes.

Your choices and the time you take for them are kept, with the size of your window. If you came from a service that \
pays you, the number by which it knows you is kept as well, and nothing else about you.

Taking part is voluntary. You can stop at any time by closing the page, without giving a reason."""


def consent(path: Path | None) -> str:
    """Returns the consent text of a file, or the one above.

    Raises:
        SpecError: If the file cannot be read, or is empty.
    """
    if path is None:
        return CONSENT
    try:
        text = utf8(path.read_bytes()).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read the consent text {path}: {error}") from None
    if not text:
        raise SpecError(f"the consent text {path} is empty; raters must know what they agree to")
    return text
