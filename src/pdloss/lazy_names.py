"""Packages that hand on the names of their modules, and import a module only when one of its names is asked for."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, Iterable[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Returns a package's ``__getattr__`` and ``__dir__``, as Python asks modules for names that they lack.

    So the options of a command can stand in the package whose torch they do without.

    Args:
        package: Its name.
        homes: The names that it hands on, by the module in it that defines them.
    """
    home_of = {name: f"{package}.{module}" for module, names in homes.items() for name in names}

    def look_up(name: str) -> Any:
        if name == "__all__":
            return sorted(home_of)
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home_of[name]), name)

    def names() -> list[str]:
        return sorted({*vars(importlib.import_module(package)), *home_of})

    return look_up, names
