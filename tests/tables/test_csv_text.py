"""Values as CSV."""

import csv
import io

import pytest

from pdloss.tables.csv_text import csv_text


def test_text_can_be_read_again_and_refuses_a_value_of_no_column() -> None:
    text = csv_text(["a", "b"], [{"a": 0.1 + 0.2, "b": None}, {"b": "x\n,y"}])
    assert list(csv.DictReader(io.StringIO(text))) == [{"a": "0.30000000000000004", "b": ""}, {"a": "", "b": "x\n,y"}]
    with pytest.raises(ValueError, match="c"):
        csv_text(["a"], [{"c": 1}])
