"""What a check is, and what it says."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pdloss.conformance.probe import Probe

Finding = tuple[bool | None, str]
"""Whether the loss does as it must, and what was seen; None where the question does not apply or is only noted."""


@dataclass(frozen=True)
class Check:
    """One thing that losses of a kind must do."""

    name: str
    run: Callable[[Probe], Finding]

    @property
    def why(self) -> str:
        """Why it must hold: the first line of the function's docstring."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]


@dataclass(frozen=True)
class Verdict:
    """What a check found: `passed` is None where it does not apply, or where there is only something to note."""

    name: str
    passed: bool | None
    said: str

    @property
    def word(self) -> str:
        """The verdict in one word, as tables show it."""
        return {True: "pass", False: "FAIL", None: "-"}[self.passed]


def several(values: Iterable[float]) -> str:
    """Returns numbers as a reason tells them, to three digits."""
    return ", ".join(f"{value:.3g}" for value in values)
