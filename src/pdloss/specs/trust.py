"""Whose text it is: what a user types may name their own code, what comes in a file may not.

A run folder, a file of weights and a frozen set hold choices as text, and people pass them on. ``package.module:Name``
in such a text is refused before anything is imported, unless the user named the module themselves, for this one call.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pdloss.errors import SpecError

_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class Trust:
    """Which modules a text may name: of what was typed all, of what came in a file those listed.

    Args:
        typed: Whether the user typed the text in this very call.
        modules: The modules that text out of a file may name.
    """

    typed: bool = False
    modules: frozenset[str] = frozenset()

    def allows(self, module: str) -> bool:
        """Returns whether the module may be imported for this text."""
        return self.typed or module in self.modules

    def check(self, path: str) -> None:
        """Refuses ``package.module:Name`` in text that may not name it; nothing is imported.

        Raises:
            SpecError: Naming the module, and the option that allows it.
        """
        module = path.partition(":")[0]
        if not self.allows(module):
            raise SpecError(
                f"{path} names code, and comes from a file, not from what was typed: the module {module} was not "
                f"imported; if you know it and trust it, add --trust {module} (in Python, trusting('{module}'))"
            )


RECEIVED = Trust()
"""Of text out of a file: it names what pdloss knows, and nothing else."""

TYPED = Trust(typed=True)
"""Of text that the user typed, on the command line or in their own program."""


def trusting(*modules: str) -> Trust:
    """Returns the trust in text out of a file that may name these modules.

    Raises:
        SpecError: If one is not written as Python imports it.

    Example:
        >>> trusting("mine.networks").allows("mine.networks"), trusting("mine.networks").allows("os")
        (True, False)
    """
    for module in modules:
        if not _MODULE.fullmatch(module):
            raise SpecError(
                f"--trust {module!r} is no module: write its name as Python imports it, such as package.module"
            )
    return Trust(modules=frozenset(modules))


@dataclass(frozen=True)
class Kind:
    """What a user's own class has to be, to be taken for one of a family.

    Args:
        said: In words, such as ``"a network: a class derived from torch.nn.Module"``.
        fits: Returns whether a class makes such objects; it is asked before any is made.
    """

    said: str
    fits: Callable[[type], bool]

    def check(self, path: str, found: object) -> None:
        """Refuses what is neither a class of this kind nor a function that says it returns one.

        Raises:
            SpecError: Saying what was found, and what is wanted.
        """
        if any(self.fits(kind) for kind in _classes(found)):
            return
        what = f"the class {found.__name__}" if isinstance(found, type) else f"of the type {type(found).__name__}"
        hint = " (a function is taken where its annotation says what it returns)" if _is_function(found) else ""
        raise SpecError(f"{path} is {what}, and not {self.said}{hint}")


ANY_CLASS = Kind("a class", lambda _: True)


def _classes(found: object) -> Iterable[type]:
    """Returns the class itself, or the one that a function's annotation says it returns."""
    if isinstance(found, type):
        return [found]
    if _is_function(found):
        said = getattr(found, "__annotations__", {}).get("return")
        return [said] if isinstance(said, type) else []
    return []


def _is_function(found: object) -> bool:
    return type(found).__name__ == "function"
