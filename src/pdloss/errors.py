"""What a user can put right: one sentence that names the cause and the cure."""


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
