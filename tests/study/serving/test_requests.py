"""What a page may send, and what is refused with a reason."""

import pytest

from pdloss.study.serving.api import Api
from tests.study.studies_for_tests import BEGIN, Client, begun, given


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "a\nb", "a\n", "\x7f", "\x9f", "x" * 201])
def test_text_that_no_database_keeps_is_refused_before_it(ask: Client, api: Api, text: str) -> None:
    nonce = "n" * 30
    for more in ({"parameters": {"workerId": text}}, {"parameters": {text: "w"}}, {"token": text}):
        assert ask("POST", "/api/begin", {"nonce": nonce, **BEGIN, **more}).status == 400, more
    session = begun(ask)
    wrong = [{**given(session, 0), "question": text}, {**given(session, 0), "key": "k" * 20 + text[-1:] * 50}]
    assert [ask("POST", "/api/answer", body, key=session["key"]).status for body in wrong] == [400, 400]
    assert [ask("GET", path + "%00", key=session["key"]).status for path in ("/api/picture/0/left", "/")] == [404, 404]


def test_a_name_of_a_request_ends_where_it_seems_to_end(ask: Client) -> None:
    assert ask("POST", "/api/begin", {"nonce": "n" * 30 + "\n", **BEGIN}).status == 400
    session = begun(ask)
    assert ask("POST", "/api/answer", {**given(session, 0), "key": "k" * 20 + "\n"}, key=session["key"]).status == 400
