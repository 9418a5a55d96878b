"""A user's own features: any module or callable, named in text as ``package.module:Name(key=value)``."""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from pdloss._types import OWN_FEATURES, Images
from pdloss.errors import SpecError
from pdloss.features.frozen import Frozen
from pdloss.specs import Family
from pdloss.specs.trust import RECEIVED, TYPED, Trust

_OWN = re.compile(r"\s*[A-Za-z_][\w.]*:[A-Za-z_]\w*\s*(\(.*\))?\s*", re.DOTALL)


class OwnFeatures(Frozen):
    """Computes the maps of a user's own module, which is frozen and kept in eval mode.

    The module maps RGB images (B, 3, H, W) in [0, 1] to one map (B, C, h, w) or to a dictionary of maps; all of them
    are used. Its weights stand in the state dict as it made them, and precision under autocast is up to it.

    Args:
        text: ``package.module:Name(key=value)``; the module is looked for in the working folder too.
        trusted: Whose text it is; by default typed by whoever makes the object.

    Raises:
        SpecError: If the text cannot be read, the class does not exist or refuses its arguments, or it is no
            class of such modules.
    """

    def __init__(self, text: str, trusted: Trust = TYPED) -> None:
        super().__init__()
        choice = _family().parse(text, trusted)
        self.text = str(choice)
        self.origin = {self.text: "own module"}
        self.own = choice.build()
        if isinstance(self.own, nn.Module):
            self.own.requires_grad_(requires_grad=False).eval()

    def forward(self, images: Images) -> dict[str, Tensor]:
        """Returns the maps by their names; a map without one is called ``maps``.

        Raises:
            SpecError: If what comes is neither a map (B, C, h, w) nor a dictionary of such.
        """
        made = self.own(images)
        maps = {"maps": made} if isinstance(made, Tensor) else made
        if not isinstance(maps, Mapping) or not maps or not all(map(_is_map, maps.values())):
            raise SpecError(
                f"{self.text} gave {_described(made)}, expected a map (B, C, h, w) or a dictionary of such maps"
            )
        return dict(maps)


def is_own(text: str) -> bool:
    """Returns whether the text has the form ``package.module:Name`` or ``package.module:Name(key=value)``."""
    return _OWN.fullmatch(text) is not None


def own_text(text: str, trusted: Trust = RECEIVED) -> str:
    """Returns the text as it is always written, so that equal modules have equal names.

    Raises:
        SpecError: If it cannot be read, or may not name that module.

    Example:
        >>> own_text("mine:Tiny( width = 8 )", TYPED)
        'mine:Tiny(width=8)'
    """
    return str(_family().parse(text, trusted))


def _family() -> Family:
    return Family("features", (), OWN_FEATURES)


def _is_map(value: object) -> bool:
    return isinstance(value, Tensor) and value.ndim == 4


def _described(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_described(inside)}" for key, inside in value.items()) + "}"
    return f"a {type(value).__name__}"
