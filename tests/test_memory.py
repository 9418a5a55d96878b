"""Memory that runs out: recognised in every library's words, and said once with what to do."""

import errno

import numpy as np
import pytest
import torch

from pdloss import cli
from pdloss.errors import OutOfMemoryError, RunError
from pdloss.memory import enough_memory, ran_out

ENDLESS = 1 << 50  # more than any machine can address


def numpys() -> object:
    return np.empty(ENDLESS, np.uint8)


def pythons() -> object:
    return bytearray(ENDLESS)


def torchs() -> object:
    return torch.empty(ENDLESS, dtype=torch.uint8)


def the_systems() -> object:
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


def a_gpus() -> object:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of")


@pytest.mark.parametrize("allocate", [numpys, pythons, torchs, the_systems, a_gpus])
def test_every_library_is_understood(allocate) -> None:
    sentence = r"\Amemory ran out while trying[^\n]*: use less\Z"
    with pytest.raises(OutOfMemoryError, match=sentence) as caught, enough_memory("trying", "use less"):
        allocate()
    assert ran_out(caught.value)


@pytest.mark.parametrize(("allocate", "size"), [(torchs, "1.05e+06 GiB"), (a_gpus, "20.00 GiB")])
def test_what_was_asked_for_is_told_where_it_is_known(allocate, size: str) -> None:
    with pytest.raises(OutOfMemoryError, match="asked for") as caught, enough_memory("trying", "use less"):
        allocate()
    assert f"({size} more" in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), OSError(errno.ENOSPC, "full"), KeyError("memory")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, enough_memory("trying", "use less"):
        raise error
    assert caught.value is error
    assert not ran_out(error)


def test_the_innermost_advice_counts() -> None:
    with (
        pytest.raises(OutOfMemoryError, match="outside|inside") as caught,
        enough_memory("a verb", "outside"),
        enough_memory("a part", "inside"),
    ):
        raise MemoryError
    assert str(caught.value) == "memory ran out while a part: inside"


def test_a_sentence_of_ours_about_memory_is_left_as_it_is() -> None:
    with pytest.raises(RunError, match="out of memory") as caught, enough_memory("trying", "use less"):
        raise RunError("the other process is out of memory")
    assert type(caught.value) is RunError


@pytest.mark.parametrize("verb", ["niqe", "bench", "calibrate"])
def test_every_verb_ends_in_one_line(verb: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    import importlib

    def runs_out(argv: list[str]) -> int:
        raise MemoryError

    monkeypatch.setattr(importlib.import_module(f"pdloss.commands.{verb}"), "main", runs_out)
    assert cli.main([verb]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"pdloss: memory ran out while running {verb}: give it less at once, such as smaller")
