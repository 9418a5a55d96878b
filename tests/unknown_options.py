"""Finds every option of the library that takes one of several known values, and tries one that nobody knows.

Run as a script: what verifies types in the tests would refuse such values before the library sees them.
"""

import importlib
import inspect
import json
import pkgutil
import sys
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import torch
from torch import Tensor, nn

ROOMS = ("ops", "features", "losses", "metrics", "networks", "degradations")
SIZES = {"b": 1, "c": 3, "h": 64, "w": 64, "h2": 64, "w2": 64, "h3": 64, "w3": 64, "k": 3, "l": 3}
"""Sizes of axes by their names in annotations; any other is 8."""


NOT_OPTIONS = {
    "pdloss.features.given.GivenWeights": "the base of two choices, which are tried",
    "pdloss.features.vgg.VGGFeatures": "the base of two networks, which are tried",
    "pdloss.features.given.split": "answers None to any text that is not of its kind",
    "pdloss.features.probes.Probe": "an entry of a table in the code",
    "pdloss.networks.signature.text_tensor": "holds any text",
}
"""What takes words that are no option of a user."""


def public(rooms: Sequence[str] = ROOMS) -> dict[str, Callable[..., Any]]:
    """Every public function and class of the rooms, by module and name."""
    found = {}
    for room in rooms:
        package = importlib.import_module(f"pdloss.{room}")
        names = [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
        for name in (package.__name__, *names):
            for word, thing in vars(importlib.import_module(name)).items():
                own = getattr(thing, "__module__", None) == name and not word.startswith("_")
                record = inspect.isclass(thing) and issubclass(thing, msgspec.Struct)  # verified when it is read
                if record or f"{name}.{word}" in NOT_OPTIONS:
                    continue
                if own and (inspect.isfunction(thing) or (inspect.isclass(thing) and not inspect.isabstract(thing))):
                    found[f"{name}.{word}"] = thing
    return found


def options(thing: Callable[..., Any]) -> Iterator[tuple[str, Any, list[Any]]]:
    """Every option that is enumerated, or a word by default; a value that is not known, and those that are."""
    for name, parameter in parameters(thing).items():
        kinds = list(_kinds(parameter.annotation))
        known = [value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)]
        word = str in kinds and (name == "text" or (isinstance(parameter.default, str) and parameter.default != ""))
        if known or word:
            yield name, 77 if known and not isinstance(known[0], str) else "no_such_word", known


def parameters(thing: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What a function or a class takes by name."""
    try:
        found = inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return {}
    taken = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name: parameter for name, parameter in found.items() if parameter.kind in taken}


def arguments(thing: Callable[..., Any]) -> dict[str, Any]:
    """A value for everything that has no default."""
    needed = {n: p for n, p in parameters(thing).items() if p.default is inspect.Parameter.empty}
    return {name: made_up(parameter.annotation) for name, parameter in needed.items()}


def made_up(annotation: Any) -> Any:
    """A value of the type."""
    kind = next(_kinds(annotation))
    if hasattr(kind, "dim_str"):
        sizes = [_size(word) for word in kind.dim_str.split()]
        return torch.rand(sizes).mul(255).to(torch.uint8) if "uint8" in kind.dtypes else torch.rand(sizes)
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if inspect.isclass(kind) and issubclass(kind, torch.Generator):
        return torch.Generator().manual_seed(0)
    if kind is Tensor:
        return torch.rand(1, 3, 64, 64)
    if get_origin(kind) is not None and issubclass(get_origin(kind), Sequence):
        return [made_up(get_args(kind)[0])]
    simple: dict[Any, Any] = {int: 8, float: 0.5, str: "l1", nn.Module: nn.Identity(), Path: Path("nothing")}
    return simple.get(kind, kind)


def _kinds(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if isinstance(annotation, typing.TypeAliasType if sys.version_info >= (3, 12) else ()):
        yield from _kinds(annotation.__value__)
    elif origin is Annotated:
        yield from _kinds(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for inside in get_args(annotation):
            yield from _kinds(inside)
    else:
        yield annotation


def _size(word: str) -> int:
    word = word.lstrip("#*?")
    return int(word) if word.isdigit() else SIZES.get(word, 8)


def tried() -> Iterator[dict[str, Any]]:
    """What each option says to a value that it cannot know."""
    for path, thing in public().items():
        if inspect.signature(thing).return_annotation is bool:  # asks what the word is
            continue
        for name, value, known in options(thing):
            answer = {"option": f"{path}({name})", "value": value, "known": known}
            try:
                made = thing(**(arguments(thing) | {name: value}))
            except ValueError as error:
                yield answer | {"refused": True, "said": str(error)}
            except Exception as error:
                yield answer | {"refused": False, "said": f"raised {type(error).__name__}: {error}"}
            else:
                yield answer | {"refused": False, "said": f"gave a {type(made).__name__}"}


if __name__ == "__main__":
    json.dump(list(tried()), sys.stdout)
