"""Requests to stop: each signal is heeded once, repeated ones change nothing, and children leave them alone."""

import os
import signal
import threading

import pytest

from pdloss.devices.signals import SIGNALS, held_back, leave_to_parent, stop_requests

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def ask(number: int) -> None:
    os.kill(os.getpid(), number)


def test_ctrl_c_a_scheduler_a_closed_terminal_and_an_early_warning_are_requests() -> None:
    assert set(SIGNALS) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1}


@pytest.mark.parametrize("number", SIGNALS)
def test_each_is_a_request_and_acts_as_before_afterwards(number: int) -> None:
    before = signal.getsignal(number)
    with stop_requests() as stop:
        assert not stop.is_set()
        ask(number)
        assert stop.is_set()
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [number for number in SIGNALS if number != signal.SIGINT])
def test_a_repeated_request_does_not_cut_the_saving_short(number: int) -> None:
    with stop_requests() as stop:
        for _ in range(3):
            ask(number)
        assert stop.is_set()


def test_a_second_ctrl_c_acts_as_usual() -> None:
    def twice() -> None:
        ask(signal.SIGINT)
        ask(signal.SIGINT)
        threading.Event().wait(10)

    with stop_requests(), pytest.raises(KeyboardInterrupt):
        twice()


def test_a_launchers_repeated_ctrl_c_is_one_request() -> None:
    with stop_requests(alone=False) as stop:
        ask(signal.SIGINT)
        ask(signal.SIGINT)
        assert stop.is_set()


def test_a_hang_up_that_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requests() as stop:
            ask(signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_child_started_while_they_are_held_back_never_dies_of_them(number: int) -> None:
    ready, go = os.pipe(), os.pipe()
    with held_back():
        child = os.fork()
        if not child:
            signal.signal(number, signal.SIG_DFL)
            os.write(ready[1], b".")
            os.read(go[0], 1)  # the signal comes meanwhile
            leave_to_parent()
            os.kill(os.getpid(), number)
            os._exit(7)
    os.read(ready[0], 1)
    os.kill(child, number)
    os.write(go[1], b".")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    for end in (*ready, *go):
        os.close(end)


def test_what_was_held_back_comes_afterwards() -> None:
    with stop_requests() as stop:
        with held_back():
            # To this very thread: another one, such as those of whoever runs the tests, would take what is for all.
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            assert not stop.is_set()
        assert stop.is_set()


def test_another_thread_than_the_main_one_is_never_asked() -> None:
    asked = []

    def work() -> None:
        with stop_requests() as stop:
            asked.append(stop.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [False]
