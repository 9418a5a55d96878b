"""How repositories of the Hub are written; nothing is asked of it here."""

import re
from typing import NamedTuple

_SCHEME = "hf://"
_NAME = re.compile(r"([\w.-]{1,96}/[\w.-]{1,96})(?:@([\w./-]+))?", re.ASCII)


class Repository(NamedTuple):
    """A repository of models, at a commit, branch or tag."""

    name: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}" if self.revision else self.name


def repository_of(text: str) -> Repository | None:
    """Returns the repository that ``owner/name``, ``owner/name@revision`` or ``hf://owner/name`` may stand for.

    Example:
        >>> repository_of("anna/denoise"), repository_of("hf://anna/denoise@v2"), repository_of("runs/denoise/weights")
        (Repository(name='anna/denoise', revision=None), Repository(name='anna/denoise', revision='v2'), None)
        >>> repository_of("../denoise"), repository_of("anna/weights.safetensors")
        (None, None)
    """
    found = _NAME.fullmatch(text.removeprefix(_SCHEME))
    if found is None or found[1].endswith(".safetensors"):
        return None
    if any(part.strip(".-") != part or ".." in part or "--" in part for part in found[1].split("/")):
        return None
    return Repository(found[1], found[2])


def is_hub_address(text: str) -> bool:
    """Returns whether the text says itself that it means the Hub."""
    return text.startswith(_SCHEME)


def address(repository: Repository) -> str:
    """Returns the text that means the repository, whatever folder there is.

    Example:
        >>> address(Repository("anna/denoise"))
        'hf://anna/denoise'
    """
    return f"{_SCHEME}{repository}"
