"""Templates of pages, as all pages read them."""

from collections.abc import Callable, Mapping
from typing import Any

from pdloss.errors import MissingExtraError


def template(package: str, name: str, extra: str, filters: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """Returns a template of Jinja: values are escaped, and a name that is not there is an error.

    Args:
        package: In whose folder ``templates`` it is; what all pages share lies in pdloss's own.
        name: Of the file.
        extra: Which extra of pdloss brings Jinja for it.
        filters: What the template may call, by name.

    Raises:
        MissingExtraError: If Jinja is not installed.
    """
    try:
        import jinja2
    except ImportError:
        raise MissingExtraError("jinja2", extra) from None
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(each, "templates") for each in (package, "pdloss")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= filters or {}
    return environment.get_template(name)
