"""Every number of a card is one of the records'."""

import re

from pdloss.models.card import card
from pdloss.models.packing import model_of
from tests.models.conftest import TERMS, Made


def test_the_card_says_what_the_records_say(made: Made) -> None:
    model = model_of(made.file)
    text = card(model, made.scores, made.file.stat().st_size, "tiny.jpg")
    assert f"{model.parameters:,} parameters" in text and TERMS in text and "Apache-2.0" in text
    assert "`jpeg(quality=10..95, subsampling='4:2:0')`" in text and "![Input, restored, target](tiny.jpg)" in text
    assert "pdloss restore photo.jpg --model tiny" in text
    for each in made.scores.sets:
        (score,) = each.scores
        rows = re.findall(rf"\*\*measured, {re.escape(each.protocol)}\*\*.*?\n\n(.*?)(?:\n\n|\Z)", text, re.DOTALL)
        assert len(rows) == 1
        shown = [float(number) for number in re.findall(r"[-+]?\d+\.\d+", rows[0])]
        gain, other = score.against["input"][0], score.against["tiny-l1"][0]
        assert shown == [round(value, 2) for value in (score.values["input"], score.value, gain, other)]


def test_the_trainings_stand_in_a_table_in_their_order(made: Made) -> None:
    text = card(model_of(made.file), made.scores, 1)
    assert re.search(r"\| 1 \| `l1` \| 40 \|.*\n\| 2 \| `l1` \| 3 \|", text)
