"""The options of commands that read choices as text: how far it is trusted."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from pdloss.specs.trust import TYPED, Trust, trusting


@dataclass(frozen=True, kw_only=True)
class TrustOptions:
    """Whose texts these are: what no user typed names code of listed modules only (`pdloss.specs.trust`)."""

    trust: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A module, such as package.module, whose classes the files read may name, and which is then imported and run; once
    for each. It holds for this command and is remembered nowhere."""

    @property
    def received(self) -> Trust:
        """How far text out of a file is trusted."""
        return trusting(*self.trust)


@dataclass(frozen=True, kw_only=True)
class TypedOptions(TrustOptions):
    """Options that hold texts of their own."""

    typed: Annotated[bool, tyro.conf.Suppress] = False
    """Whether the user typed these very texts, and did not read them from a file."""

    @property
    def trusted(self) -> Trust:
        """How far these texts are trusted."""
        return TYPED if self.typed else self.received
