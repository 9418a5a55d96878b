"""Who may take part in a study, and how long somebody may come back."""

from typing import Literal

Access = Literal["open", "tokens", "capped"]
"""Whoever has the address, holders of links of their own, or the first to come."""

KnownBy = Literal["id", "link"]
"""How a participant of Prolific or Mechanical Turk is known: by their id, or by the whole link they came by."""

RETURN_DAYS = 30.0
"""After so long without an answer a session is not gone on with; the pictures would meet other eyes."""
