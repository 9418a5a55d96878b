"""The page in a real browser when something goes wrong: reloaded, crashed, offline, refused, with nothing kept."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tests.study.pages_for_tests import (
    CROP,
    SENT,
    TOTAL,
    answers,
    enter,
    press,
    raters,
    visible_crop,
    wait_for_question,
)
from tests.study.studies_for_tests import Running

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def test_a_reload_goes_on_at_the_same_question(server: Running, visit: Callable[..., "Page"]) -> None:
    before = raters(server)
    page = visit(server.address)
    enter(page)
    for k in range(TOTAL):
        wait_for_question(page, k + 1)
        if k == 5:
            shown = visible_crop(page, "left", 1)
            page.reload()
            wait_for_question(page, k + 1)
            assert np.array_equal(visible_crop(page, "left", 1), shown)
        page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert Counter(answer.position for answer in answers(server, before)) == dict.fromkeys(range(TOTAL), 1)


def test_ten_answers_without_a_connection_are_kept_and_sent_later(
    server: Running, visit: Callable[..., "Page"]
) -> None:
    before = raters(server)
    page = visit(server.address)
    with page.expect_response(lambda reply: reply.url.endswith(f"/{TOTAL - 1}/right")):
        enter(page)
    page.context.set_offline(True)
    choices = ["right" if k in (1, 4, 5, 9) else "left" for k in range(TOTAL)]
    for k in range(10):
        wait_for_question(page, k + 1)
        page.keyboard.press(f"Arrow{choices[k].title()}")
    page.get_by_text("10 answers are kept here and sent later").wait_for()
    assert answers(server, before) == []
    page.context.set_offline(False)
    for k in range(10, TOTAL):
        wait_for_question(page, k + 1)
        page.keyboard.press(f"Arrow{choices[k].title()}")
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert [answer.choice for answer in answers(server, before)] == choices


def test_answers_wait_for_a_server_that_does_not_know_the_rater(server: Running, visit: Callable[..., "Page"]) -> None:
    before = raters(server)
    page = visit(server.address)
    enter(page)
    refused = '{"error": "this session is not known"}'  # as when it was started with another database
    page.route("**/api/answer", lambda route: route.fulfill(status=401, content_type="application/json", body=refused))
    for k in range(3):
        wait_for_question(page, k + 1)
        page.keyboard.press("ArrowRight")
    page.get_by_text("3 answers are kept here and sent later").wait_for()
    page.unroute("**/api/answer")
    page.wait_for_function(SENT)
    assert [answer.choice for answer in answers(server, before)] == ["right"] * 3


def test_a_browser_that_keeps_nothing_can_take_part(server: Running, visit: Callable[..., "Page"]) -> None:
    before = raters(server)
    page = visit("about:blank")
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }")
    page.goto(server.address)
    enter(page)
    for k in range(TOTAL):
        wait_for_question(page, k + 1)
        page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert len(answers(server, before)) == TOTAL


def test_what_is_said_of_the_connection_hides_no_picture_and_goes_away(
    server: Running, visit: Callable[..., "Page"]
) -> None:
    page = visit(server.address)
    page.route("**/api/picture/t0/left", lambda route: route.abort(), times=2)
    for name in ("I agree", "Continue", "Practise"):
        press(page, name)
    page.get_by_text("No connection. Trying again").wait_for()
    page.locator("section.question.visible").wait_for()
    assert page.locator("#status").inner_text() == ""
    page.get_by_label("Left picture").click()
    for name in ("Next", "Begin"):
        press(page, name)
    wait_for_question(page, 1)
    page.set_viewport_size({"width": 800, "height": CROP + 128})
    # On the way there the window may be smaller, or zoomed: then it is covered, and what is pressed does not count.
    page.wait_for_function(f"innerWidth === 800 && innerHeight === {CROP + 128} && visualViewport.scale === 1")
    page.locator("#cover").wait_for(state="hidden")
    page.locator("section.question.visible").wait_for()
    page.wait_for_function(SENT)  # that of the practice question, or two would be kept
    page.route("**/api/answer", lambda route: route.abort())
    page.keyboard.press("ArrowRight")
    page.get_by_text("an answer is kept here and sent later").wait_for()
    wait_for_question(page, 2)
    said, picture = page.locator("#status").bounding_box(), page.get_by_label("Left picture").bounding_box()
    assert said
    assert picture
    assert said["y"] + said["height"] <= picture["y"]


def test_answers_kept_offline_survive_a_crash_of_the_page(server: Running, visit: Callable[..., "Page"]) -> None:
    before = raters(server)
    page = visit(server.address)
    enter(page)
    wait_for_question(page, 1)
    page.route("**/api/answer", lambda route: route.abort())
    page.keyboard.press("ArrowRight")
    wait_for_question(page, 2)
    context = page.context
    page.close(run_before_unload=False)
    assert answers(server, before) == []
    again = context.new_page()
    again.goto(server.address)
    wait_for_question(again, 2)
    again.keyboard.press("ArrowLeft")
    wait_for_question(again, 3)
    again.wait_for_function(SENT)
    assert [answer.choice for answer in answers(server, before)] == ["right", "left"]


def test_a_server_that_cannot_save_is_said_to_raters_and_to_the_researcher(
    server: Running, visit: Callable[..., "Page"]
) -> None:
    before = raters(server)
    page = visit(server.address)
    enter(page)
    refused = '{"error": "The server cannot read or save anything at the moment"}'
    page.route("**/api/answer", lambda route: route.fulfill(status=503, content_type="application/json", body=refused))
    wait_for_question(page, 1)
    page.keyboard.press("ArrowRight")
    page.get_by_text("The server cannot save anything at the moment: an answer is kept here and sent later").wait_for()
    page.unroute("**/api/answer")
    page.wait_for_function(SENT)
    assert [answer.choice for answer in answers(server, before)] == ["right"]
    admin = visit("about:blank")

    def full(route: "Route") -> None:
        route.fulfill(json=route.fetch().json() | {"problem": "database or disk is full (since noon)"})

    admin.route("**/api/admin/overview", full)
    admin.goto(server.admin)
    admin.get_by_text("No answer can be saved: database or disk is full (since noon). Pages keep").wait_for()
