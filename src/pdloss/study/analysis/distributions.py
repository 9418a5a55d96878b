"""SciPy's distributions and tests, which the analysis alone needs: serving a study does without them."""

from typing import Any

from pdloss.errors import MissingExtraError


def distributions() -> Any:
    """Returns the module ``scipy.stats``.

    Raises:
        MissingExtraError: If SciPy is not installed.
    """
    try:
        from scipy import stats
    except ImportError:
        raise MissingExtraError("scipy", "study") from None
    return stats
