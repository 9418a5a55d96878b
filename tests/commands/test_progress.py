"""Progress where stderr is no terminal: a line now and then, with the time left, and nothing that ends the work."""

import sys
import time

import pytest

from pdloss.commands.progress import Bar


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, which the test moves on."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_line_is_written_now_and_then_with_the_time_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Bar("training", seconds=30) as bar:
        for step in range(1, 101):
            clock[0] = float(step)
            bar.update(step, 400, f"loss {step}")
    assert capsys.readouterr().err.splitlines() == [
        "training: 30/400, 1/s, 6.2 min left loss 30",
        "training: 60/400, 1/s, 5.7 min left loss 60",
        "training: 90/400, 1/s, 5.2 min left loss 90",
    ]


def test_a_run_that_goes_on_counts_its_speed_from_there(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("reading") as bar:
        bar.begin("training", 1000, 2000)
        clock[0] = 50.0
        bar.update(1010, 2000)
    assert capsys.readouterr().err == "training: 1010/2000, 5 s each, 82.5 min left\n"


def test_before_anything_is_done_no_time_is_made_up(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("timing", seconds=5) as bar:
        clock[0] = 6.0
        bar.update(0, 84, "start")
        clock[0] = 12.0
        bar.update(6, 84)
    assert capsys.readouterr().err == "timing: 0/84 start\ntiming: 6/84, 2 s each, 2.6 min left\n"


def test_what_is_shown_beside_it_is_asked_for_only_when_it_is_shown(clock: list[float]) -> None:
    asked = []
    with Bar("training") as bar:
        for step in range(3):
            bar.update(step, 10, lambda: asked.append(1) or "")  # type: ignore[func-returns-value]
        clock[0] = 31.0
        bar.update(3, 10, lambda: asked.append(1) or "")  # type: ignore[func-returns-value]
    assert len(asked) == 1


def test_a_terminal_that_is_gone_ends_nothing(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        encoding = "utf-8"

        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    with Bar("training") as bar:
        monkeypatch.setattr(sys, "stderr", Gone())
        clock[0] = 31.0
        bar.update(3, 10)
