"""What resuming needs, as tensors and strings: the parts of a training, its random streams, and where it stands."""

import json
import math
import random
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

Stateful: TypeAlias = nn.Module | torch.optim.Optimizer


class State(NamedTuple):
    """Where a training stands."""

    step: int
    seconds: float


def seed_everything(seed: int) -> None:
    """Seeds torch's, Python's and NumPy's global streams: users' own networks and losses may draw from any."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002


def packed(state: State, parts: Mapping[str, Stateful]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the tensors and the strings from which `unpack` puts everything back."""
    tensors: dict[str, Tensor] = {}
    for name, part in parts.items():
        tensors |= {f"{name}.{key}": tensor for key, tensor in _state_of(part).items()}
    randomness, numbers = random_state()
    header = {"step": str(state.step), "seconds": repr(state.seconds), "random": json.dumps(numbers)}
    return tensors | randomness, header


def unpack(
    tensors: Mapping[str, Tensor], header: Mapping[str, str], parts: Mapping[str, Stateful], last: int | None = None
) -> State:
    """Puts all parts and the random streams where `packed` found them.

    Args:
        tensors: As `packed` returns them.
        header: The same.
        parts: What to put them into.
        last: The last step of the training.

    Raises:
        ValueError: If something is missing, or is not what such a training can have come to.
    """
    try:
        state = _where(header, last)
        for name, part in parts.items():
            if isinstance(part, nn.Module):
                load_module(part, below(tensors, f"{name}."), exact=True, finite=name in ("network", "average"))
            else:
                state_of_it = below(tensors, f"{name}.")
                if name == "optimiser" and not state_of_it:
                    raise ValueError("it lacks all that the optimiser had come to")
                _load_optimiser(part, state_of_it)
        set_random_state(tensors, json.loads(header["random"]))
    except KeyError as error:
        raise ValueError(f"it lacks {error}") from None
    except (RuntimeError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return state


def load_module(module: nn.Module, tensors: Mapping[str, Tensor], *, exact: bool = False, finite: bool = True) -> None:
    """Loads a module's own tensors, and no others.

    Args:
        module: What they belong to.
        tensors: By name.
        exact: Whether every number format must be the module's; else one that loses nothing will do, such as half.
        finite: Whether every weight must be; a buffer, such as a mask, may hold infinities.

    Raises:
        RuntimeError: If names or shapes are another module's.
        ValueError: If a number format is not the module's, or a value is not finite.
    """
    own, parameters = module.state_dict(), dict(module.named_parameters())
    for name, tensor in tensors.items():
        if name not in own or not isinstance(own[name], Tensor):
            continue  # loading says so
        kind = own[name].dtype
        if tensor.dtype != kind and (exact or not _fits(tensor.dtype, kind)):
            raise ValueError(f"{name} holds {_name(tensor.dtype)}, where the network has {_name(kind)}")
        if finite and name in parameters and not bool(tensor.isfinite().all()):
            raise ValueError(f"{name} holds values that are not finite")
    module.load_state_dict(dict(tensors))


def tensors_of(values: Mapping[str, Any]) -> dict[str, Tensor]:
    """Returns copies on the processor."""
    return {name: torch.as_tensor(value).detach().cpu().contiguous().clone() for name, value in values.items()}


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Returns those whose names begin so, without the prefix."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def random_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns torch's states as tensors, Python's and NumPy's as JSON values."""
    tensors = {"random.torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors |= {f"random.cuda.{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return tensors, {"python": random.getstate(), "numpy": [name, np.asarray(keys).tolist(), *rest]}


def set_random_state(tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
    """Puts the streams back to where `random_state` found them."""
    torch.set_rng_state(tensors["random.torch"])
    for name, state in below(tensors, "random.cuda.").items():
        if int(name) < torch.cuda.device_count():
            torch.cuda.set_rng_state(state, int(name))
    version, internal, gauss = numbers["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, *rest = numbers["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002


def _where(header: Mapping[str, str], last: int | None) -> State:
    state = State(int(header["step"]), float(header["seconds"]))
    if state.step < 1 or (last is not None and state.step > last):
        raise ValueError(f"it is said to be after step {state.step}{'' if last is None else f' of {last}'}")
    if not (0 <= state.seconds < math.inf):
        raise ValueError(f"it is said to be after {state.seconds} seconds")
    return state


def _state_of(part: Stateful) -> dict[str, Tensor]:
    if isinstance(part, nn.Module):
        return tensors_of(part.state_dict())
    states = part.state_dict()["state"]
    return tensors_of({f"{index}.{name}": value for index, values in states.items() for name, value in values.items()})


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        like = parameters[int(index)]
        # The same memory layout as before the stop: elementwise kernels round differently along another one.
        value = torch.empty_like(like).copy_(tensor) if tensor.ndim and _alike(tensor, like) else tensor
        state.setdefault(int(index), {})[key] = value
    if isinstance(optimiser, torch.optim.Adam):
        _check_adam(state, parameters)
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _check_adam(state: Mapping[int, Mapping[str, Tensor]], parameters: list[Tensor]) -> None:
    """Refuses what Adam cannot have come to, or of which a part is gone: it would go on as if it had just begun."""
    for index, values in state.items():
        step, *means = (values[key] for key in ("step", "exp_avg", "exp_avg_sq"))
        if step.ndim or not 1 <= float(step) < 2**53:
            raise ValueError(f"the optimiser's parameter {index} is said to be after step {step.tolist()}")
        for mean in means:
            if not _alike(mean, parameters[index]) or not bool(mean.isfinite().all()):
                raise ValueError(f"what the optimiser holds of its parameter {index} cannot be")


def _alike(tensor: Tensor, like: Tensor) -> bool:
    return tensor.shape == like.shape and tensor.dtype == like.dtype


def _fits(kind: torch.dtype, wanted: torch.dtype) -> bool:
    """Whether all numbers of one format are numbers of the other, and no weights are whole numbers."""
    return kind.is_floating_point and wanted.is_floating_point and torch.promote_types(kind, wanted) == wanted


def _name(kind: torch.dtype) -> str:
    return str(kind).removeprefix("torch.")
