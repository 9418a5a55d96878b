"""What a user can put right: one sentence that names the cause and the cure."""

import errno

_CURES = {
    errno.ENOSPC: "make room there, or choose another place; nothing half-written stays",
    errno.EDQUOT: "your quota is used up: make room there, or choose another place",
    errno.EACCES: "you have no right to it: choose another place, or change its permissions",
    errno.EPERM: "you have no right to it: choose another place, or change its permissions",
    errno.EROFS: "nothing can be written there: choose another place",
    errno.ENAMETOOLONG: "shorten it",
    errno.ENOTDIR: "a part of it is a file, where a folder should be",
    errno.EISDIR: "name a file, not a folder",
    errno.EMFILE: "raise the limit with ulimit -n, or do less at once",
}


class UserError(Exception):
    """Base of every error that the command line prints as one line, without a traceback."""


class SpecError(UserError, ValueError):
    """A choice written as text is wrong: an unknown name, a bad value, a slip of the pen."""


class UsageError(SpecError):
    """What was typed is no command: an option that there is not, a name that can be none. Exit status 2."""


class ImageError(UserError, ValueError):
    """An image, or a folder of images, cannot be used as asked."""


class AssetError(UserError, OSError):
    """A pretrained file is not at hand, or is not what it should be."""


class RunError(UserError, RuntimeError):
    """A run folder, or a training in it, cannot go on."""


class MissingExtraError(UserError, ImportError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; it comes with: pip install 'pdloss[{extra}]'")


class OutOfMemoryError(UserError, MemoryError):
    """Memory does not suffice for what was asked."""


class RangeWarning(UserWarning):
    """Images that a loss was given are not in [0, 1]: its value, and the weight it was given, mean something else."""


def system_sentence(error: OSError) -> str:
    """Returns the system's own words, the file, and the cure where there is one."""
    problem = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    cure = _CURES.get(error.errno or 0)
    return f"{problem}; {cure}" if cure else problem
