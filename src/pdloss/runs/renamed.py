"""Names that meant something else when a run was written, as they are today."""

import re

from msgspec.structs import replace

from pdloss.records import RunRecord

_FIRST_DISTILLED = "63da9dbd7b34de03d27cd034995e4ceee7683facbade8e7652c0e9f8bd69de1e"
"""SHA-256 of the file whose features ``distilled`` were until 0.2.0, now ``distilled-1``."""


def with_todays_names(record: RunRecord) -> RunRecord:
    """Returns the record with ``distilled`` called ``distilled-1`` where its run took the first edition."""
    said = record.weights.get("distilled", "")
    if not said.startswith(f"sha256 {_FIRST_DISTILLED}"):
        return record
    loss = re.sub(r"\bdistilled(?=\.relu|['\"])", "distilled-1", record.loss)
    weights = {{"distilled": "distilled-1"}.get(name, name): value for name, value in record.weights.items()}
    return replace(record, loss=loss, weights=weights)
