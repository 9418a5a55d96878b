"""Values in full as CSV, for other programs."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    r"""Returns a line for each row, under the names of the columns; what a row does not have, or is None, stays empty.

    Args:
        columns: Their names, in order.
        rows: Values by the names of their columns.

    Raises:
        ValueError: If a row has a value for no column.

    Example:
        >>> csv_text(["a", "b"], [{"a": 0.1}, {"b": "x,y"}])
        'a,b\n0.1,\n,"x,y"\n'
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
