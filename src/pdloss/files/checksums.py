"""The hash of a file's content."""

import hashlib
from pathlib import Path
from typing import Literal


def checksum(path: Path, kind: Literal["sha256", "md5"] = "sha256") -> str:
    """Returns the file's hash in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
