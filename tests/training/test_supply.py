"""Batches fetched ahead of the step: what goes wrong is kept until it can be told."""

from collections.abc import Generator

import pytest
import torch

from pdloss.datasets import Batch
from pdloss.errors import ImageError, OutOfMemoryError
from pdloss.training.supply import Supply

closed = []


def prepared(count: int, error: Exception | None = None) -> Generator[Batch, None, None]:
    try:
        for index in range(count):
            yield Batch(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2), [str(index)])
        if error:
            raise error
    finally:
        closed.append(count)


def test_gives_every_batch_in_order() -> None:
    supply, names = Supply(prepared(3)), []
    for _ in range(3):
        supply.fetch()
        names += supply.take().names
    supply.fetch()
    assert names == ["0", "1", "2"]
    assert supply.failure is None
    with pytest.raises(RuntimeError, match="no batch ready"):
        supply.take()


@pytest.mark.parametrize(
    ("error", "kind"), [(ImageError("gone"), ImageError), (MemoryError(), OutOfMemoryError), (KeyError(1), KeyError)]
)
def test_keeps_what_went_wrong_instead_of_raising_it(error: Exception, kind: type[Exception]) -> None:
    supply = Supply(prepared(1, error))
    supply.fetch()
    supply.take()
    supply.fetch()
    assert type(supply.failure) is kind


def test_ends_what_prepares_the_batches() -> None:
    closed.clear()
    supply = Supply(prepared(9))
    supply.fetch()
    assert closed == []
    supply.close()
    assert closed == [9]
