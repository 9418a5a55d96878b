"""Where files of ours stand that nobody named a place for."""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Returns where downloads are kept: ``PDLOSS_CACHE``, else the platform's folder for such files."""
    if folder := os.environ.get("PDLOSS_CACHE"):
        return Path(folder).expanduser()
    if folder := os.environ.get("XDG_CACHE_HOME"):
        return Path(folder) / "pdloss"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pdloss"
    if sys.platform == "win32" and (folder := os.environ.get("LOCALAPPDATA")):
        return Path(folder) / "pdloss"
    return Path.home() / ".cache" / "pdloss"
