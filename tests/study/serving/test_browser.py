"""The page in a real browser: by mouse, by keyboard, in small windows and on fine screens."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from pdloss.study.folder import StudyFolder
from pdloss.study.serving import reading
from tests.study.pages_for_tests import (
    CROP,
    PROTOCOL,
    SENT,
    TOTAL,
    WIDE,
    answers,
    chromium,
    enter,
    no_scrolling,
    press,
    raters,
    visible_crop,
    wait_for_question,
)
from tests.study.studies_for_tests import SMALL, Running, make_study, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def test_a_whole_session_by_mouse(server: Running, visit: Callable[..., "Page"]) -> None:
    before = raters(server)
    page = visit(f"{server.address}?PROLIFIC_PID=p7&SESSION_ID=s7&email=x@example.org")
    enter(page)
    choices = ["left" if k % 3 else "right" for k in range(TOTAL)]
    for k, choice in enumerate(choices):
        wait_for_question(page, k + 1)
        page.get_by_label(f"{choice.title()} picture").click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    code = page.locator(".code").inner_text()
    kept = answers(server, before)
    assert [answer.choice for answer in kept] == choices
    assert [answer.position for answer in kept] == list(range(TOTAL))
    assert all(0 < answer.seconds < 60 for answer in kept)
    store = reading.open_store(StudyFolder(server.study))
    (progress,) = [s for s in reading.raters_progress(store) if s.parameters]
    store.close()
    assert progress.parameters == {"PROLIFIC_PID": "p7", "SESSION_ID": "s7"}
    assert progress.screen == {"width": 1280, "height": 720, "ratio": 1}
    page.reload()
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert page.locator(".code").inner_text() == code


def test_a_whole_session_by_keyboard_alone(server: Running, visit: Callable[..., "Page"]) -> None:
    before = raters(server)
    page = visit(server.address)
    page.get_by_role("heading", name="Which picture looks better?").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # I agree
    page.get_by_role("button", name="Continue").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="A few to practise").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("section.question.visible").wait_for()
    page.keyboard.press("ArrowRight")
    expected = StudyFolder(server.study).design.training[0].expected
    page.get_by_text(f"{'Yes' if expected == 'right' else 'No'}: the better one is on the {expected}.").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Now the study itself").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for k in range(TOTAL):
        wait_for_question(page, k + 1)
        if k == 2:  # as a screen reader's user would: the picture is a button
            page.get_by_label("Left picture").focus()
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("ArrowLeft" if k % 2 else "ArrowRight")
    page.get_by_role("heading", name="Thank you!").wait_for()
    wanted = ["left" if k % 2 or k == 2 else "right" for k in range(TOTAL)]
    assert [answer.choice for answer in answers(server, before)] == wanted


def test_nothing_marks_the_picture_under_the_mouse(server: Running, visit: Callable[..., "Page"]) -> None:
    page = visit(server.address)
    for name in ("I agree", "Continue", "Practise"):
        press(page, name)
    page.locator("section.question.visible").wait_for()

    def outlines() -> list[str]:
        style = "all => all.map(e => getComputedStyle(e).outlineStyle)"
        return page.locator("button.picture").evaluate_all(style)

    page.get_by_label("Left picture").hover()
    assert outlines() == ["none", "none"]
    page.get_by_label("Left picture").click()
    page.locator("section.question.told").wait_for()
    expected = StudyFolder(server.study).design.training[0].expected
    assert outlines() == ["solid" if side == expected else "none" for side in ("left", "right")]
    press(page, "Next")
    press(page, "Begin")
    wait_for_question(page, 1)
    page.get_by_label("Left picture").hover()
    assert outlines() == ["none", "none"]
    page.keyboard.press("Tab")
    assert "solid" in outlines(), "who goes by keyboard sees where"


@pytest.mark.parametrize("scale", [1.25, 2.0])
def test_pictures_have_exactly_their_pixels_on_any_screen(server: Running, browser: "Browser", scale: float) -> None:
    before = raters(server)
    # The setting of a context only magnifies what was laid out for 1; a browser of its own lays out as on that screen.
    arguments = ["--no-sandbox", f"--force-device-scale-factor={scale}", "--window-size=1101,701"]
    own = browser.browser_type.launch(executable_path=chromium(), args=arguments)
    page = own.new_context(no_viewport=True).new_page()
    page.goto(server.address)
    assert page.evaluate("devicePixelRatio") == scale
    enter(page)
    wait_for_question(page, 1)
    page.mouse.move(5, 5)
    shown = {side: visible_crop(page, side, scale) for side in ("left", "right")}
    assert no_scrolling(page)
    page.keyboard.press("ArrowLeft")
    wait_for_question(page, 2)
    page.wait_for_function(SENT)
    own.close()
    (answer,) = answers(server, before)
    study = StudyFolder(server.study)
    files = study.images[answer.image].files
    for side, method in (("left", answer.left), ("right", answer.right)):
        assert np.array_equal(shown[side], np.asarray(Image.open(study.path / "crops" / files[method])))


def test_a_window_too_small_is_covered_and_the_smallest_that_is_not_needs_no_scrolling(
    server: Running, visit: Callable[..., "Page"]
) -> None:
    page = visit(server.address)
    enter(page)
    wait_for_question(page, 1)
    smallest = {"width": 2 * CROP + 16 + 48, "height": CROP + 128}
    page.set_viewport_size(smallest)
    assert page.locator("#cover").is_hidden()
    assert no_scrolling(page)
    for change in ({"width": smallest["width"] - 1}, {"height": smallest["height"] - 1}):
        page.set_viewport_size({**smallest, **change})
        page.get_by_role("heading", name="The window is too small").wait_for()
        assert page.evaluate("document.activeElement.id") == "fullscreen", "nothing behind the cover can be reached"
        assert page.evaluate("document.getElementById('page').inert")
        page.keyboard.press("ArrowLeft")
        page.set_viewport_size(WIDE)
        page.locator("#cover").wait_for(state="hidden")
        assert not page.evaluate("document.getElementById('page').inert")
        wait_for_question(page, 1)


def test_the_screen_check_waits_for_a_larger_window(server: Running, visit: Callable[..., "Page"]) -> None:
    page = visit(server.address, viewport={"width": 300, "height": 500})
    press(page, "I agree")
    assert page.get_by_role("button", name="Continue").is_disabled()
    page.get_by_text("make the window larger").wait_for()
    page.set_viewport_size(WIDE)
    page.get_by_text("Your window is large enough").wait_for()
    assert page.get_by_role("button", name="Continue").is_enabled()


def test_phones_are_refused_politely_unless_they_are_let_in(
    server: Running, visit: Callable[..., "Page"], tmp_path: Path
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "screen": {"width": 390, "height": 844}, "is_mobile": True,
             "has_touch": True}  # fmt: skip
    visit(server.address, **phone).get_by_role("heading", name="A larger screen is needed").wait_for()
    with running(make_study(tmp_path, replace(SMALL, phones=True))) as other:
        press(visit(other.address, **phone), "I agree")


def test_who_does_not_agree_leaves_no_trace(server: Running, visit: Callable[..., "Page"]) -> None:
    before = raters(server)
    page = visit(server.address)
    press(page, "I do not agree")
    page.get_by_text("nothing was saved").wait_for()
    assert page.evaluate("localStorage.length") == 0
    assert raters(server) == before


def test_references_ties_and_damaged_pictures(tmp_path: Path, visit: Callable[..., "Page"]) -> None:
    protocol = replace(PROTOCOL, reference="demand", ties=True, questions=6, training=0)
    study = StudyFolder(make_study(tmp_path / "demand", protocol, size=(160, 140)))
    with running(study.path) as server:
        page = visit(server.address)
        damaged = []

        def damage(route: Any) -> None:
            reply = route.fetch()
            damaged.append(route.request.url)
            route.fulfill(response=reply, body=reply.body()[:-20] + b"x" * 20)

        page.route("**/api/picture/0/left", damage, times=1)
        for name in ("I agree", "Continue", "Begin"):
            press(page, name)
        wait_for_question(page, 1, 11)
        assert len(damaged) == 1, "the damaged picture was loaded again before it was shown"
        pair = visible_crop(page, "left", 1)
        page.keyboard.press("r")
        page.locator("section.question.original").wait_for()
        page.wait_for_function("() => document.querySelector('[data-slot=left]').complete")
        original = visible_crop(page, "left", 1)
        assert np.array_equal(original, visible_crop(page, "right", 1))
        page.keyboard.press("ArrowLeft")  # there is nothing to choose now
        press(page, "Show the original")
        page.locator("section.question:not(.original)").wait_for()
        page.wait_for_function("() => document.querySelector('[data-slot=left]').complete")
        assert np.array_equal(visible_crop(page, "left", 1), pair)
        page.keyboard.press("ArrowDown")
        wait_for_question(page, 2, 11)
        page.wait_for_function(SENT)
        (answer,) = reading.study_answers(study.path)
        assert answer.choice == "tie"
        target = study.images[answer.image].files["target"]
        assert np.array_equal(original, np.asarray(Image.open(study.path / "crops" / target)))


def test_the_reference_stands_between_the_two(tmp_path: Path, visit: Callable[..., "Page"]) -> None:
    protocol = replace(PROTOCOL, reference="shown", questions=6, training=0)
    with running(make_study(tmp_path, protocol, size=(160, 140))) as server:
        page = visit(server.address)
        for name in ("I agree", "Continue", "Begin"):
            press(page, name)
        wait_for_question(page, 1, 11)
        places = [page.locator(f'[data-slot="{s}"]').bounding_box()["x"] for s in ("left", "reference", "right")]
        assert places == sorted(places)
        assert no_scrolling(page)
        assert page.get_by_role("button", name="No difference").is_hidden()


def test_the_researchers_page_counts_pauses_and_exports(server: Running, visit: Callable[..., "Page"]) -> None:
    page = visit(server.admin)
    page.get_by_role("heading", name="Preferences so far").wait_for()
    assert server.secret not in page.url
    assert page.locator("#preferences th[scope=row]").all_inner_texts() == ["method0", "method1", "method2"]
    press(page, "Pause")
    other = visit(server.address)
    press(other, "I agree")
    press(other, "Continue")
    other.get_by_text("the study is paused").wait_for()
    press(page, "Let new raters in again")
    page.get_by_role("button", name="Pause").wait_for()
    with page.expect_download() as download:
        press(page, "answers.csv")
    assert download.value.path().read_text().startswith("rater,question,position,kind,image,left,right,choice")
    page.route("**/api/admin/export/*", lambda route: route.fulfill(status=429, body='{"error": "too many requests"}'))
    press(page, "raters.csv")
    page.get_by_text("too many requests").wait_for()
    page.route("**/api/admin/overview", lambda route: route.abort())
    page.get_by_text("No connection to the server").wait_for()
    page.unroute_all()
    page.locator("#said:empty").wait_for(state="attached")
    other = visit(f"{server.address}admin#wrong", viewport=WIDE)
    other.get_by_text("not the one that the server printed").wait_for()
    assert other.get_by_role("heading", name="Preferences so far").is_hidden()
