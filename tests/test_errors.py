"""Errors that a user can put right are of one family, and of the built-in kind that fits."""

import pytest

from pdloss.errors import AssetError, ImageError, MissingExtraError, RunError, SpecError, UserError


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [(SpecError, ValueError), (ImageError, ValueError), (AssetError, OSError), (RunError, RuntimeError)],
)
def test_every_kind_is_a_user_error_and_a_builtin_one(kind: type[UserError], builtin: type[Exception]) -> None:
    with pytest.raises(UserError) as caught:
        raise kind("the cause; the cure")
    assert isinstance(caught.value, builtin)
    assert str(caught.value) == "the cause; the cure"


def test_a_missing_extra_names_the_package_and_the_command_that_installs_it() -> None:
    error = MissingExtraError("jinja2", "report")
    assert str(error) == "jinja2 is not installed; it comes with: pip install 'pdloss[report]'"
    assert isinstance(error, UserError)
    assert isinstance(error, ImportError)
