"""What a loss sees: its response to periodic patterns, relative to white noise of equal energy."""

from pdloss.ops.patterns import PATTERNS, Pattern
from pdloss.probing.response import BLIND, Responses, loss_responses

__all__ = ["BLIND", "PATTERNS", "Pattern", "Responses", "loss_responses"]
