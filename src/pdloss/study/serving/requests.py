"""What a page may send: checked here, once, and refused with a reason that it can show."""

from typing import Annotated, Literal, TypeVar

import msgspec

T = TypeVar("T")

# No control characters: PostgreSQL keeps no NUL, and none of the others belongs into an identifier.
Short = Annotated[str, msgspec.Meta(max_length=200, pattern=r"\A[^\x00-\x1f\x7f-\x9f]*\Z")]
Length = Annotated[float, msgspec.Meta(ge=0, le=100_000)]
Place = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """What is not granted: an HTTP status, words for the page, and what else it needs to know."""

    def __init__(self, status: int, words: str, **more: object) -> None:
        super().__init__(words)
        self.status, self.words, self.more = status, words, more


class Screen(msgspec.Struct, forbid_unknown_fields=True):
    """The window in which the pictures will be seen."""

    width: Length
    height: Length
    ratio: Length
    """Screen pixels to a pixel of the page."""


class BeginRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A rater's request to begin."""

    nonce: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{22,64}\Z")]
    """Drawn by the page, and the same when it asks again because no reply came."""
    screen: Screen
    token: Short | None = None
    parameters: dict[Short, Short] = {}


class AnswerRequest(msgspec.Struct, forbid_unknown_fields=True):
    """One choice."""

    position: Place
    question: Short
    choice: Literal["left", "right", "tie"]
    seconds: Length
    key: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")]
    """Drawn by the page for this choice: sent again, it is the same answer."""


class PauseRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The researcher's request to let nobody new in, or to let them in again."""

    paused: bool


def decoded(body: bytes, kind: type[T]) -> T:
    """Returns the request in a body.

    Raises:
        Refusal: 400 if it is not of this form.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"not understood: {error}") from None
