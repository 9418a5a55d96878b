"""Where pretrained files may stand on this machine."""

import os
from pathlib import Path

from pdloss.files import cache_folder


def folders() -> list[tuple[Path, str]]:
    """Returns where files are looked for, in turn, each with what to call it."""
    named = os.environ.get("PDLOSS_ASSETS")
    own = [(Path(named).expanduser(), "PDLOSS_ASSETS")] if named else []
    return [*own, (cache_folder(), "the cache")]
