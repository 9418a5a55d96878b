"""Number formats that losses compute in."""

import pytest
import torch

from pdloss.ops.dtypes import at_least_float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32_with_the_same_values(dtype: torch.dtype) -> None:
    x = torch.tensor([0.1, -3.0, 1000.0], dtype=dtype, requires_grad=True)
    wide = at_least_float32(x)
    assert wide.dtype == torch.float32
    assert wide.tolist() == x.tolist()
    wide.sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wider_formats_are_passed_on_as_they_are(dtype: torch.dtype) -> None:
    x = torch.zeros(3, dtype=dtype)
    assert at_least_float32(x) is x
