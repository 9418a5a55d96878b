"""Work beside a loop: in order, a few items at a time, and no error is lost."""

import threading

import pytest

from pdloss.datasets.prefetch import ThreadedCalls, ahead


class Asked:
    """Items that count how many were asked for."""

    def __init__(self):
        self.count, self.changed = 0, threading.Condition()

    def __call__(self, index):
        with self.changed:
            self.count += 1
            self.changed.notify_all()
        return index

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, timeout=30)


@pytest.mark.parametrize("waiting", [0, 1, 3])
def test_items_come_in_order_and_only_a_few_are_held(waiting):
    asked = Asked()
    for index, item in enumerate(ahead(asked, 10, waiting)):
        assert item == index
        asked.wait_for(min(10, index + 1 + waiting))
        assert asked.count == min(10, index + 1 + waiting)


def test_of_no_items_none_come():
    assert list(ahead(Asked(), 0)) == []


def test_the_next_item_is_made_while_one_is_in_use():
    asked = Asked()
    items = ahead(asked, 3)
    next(items)
    asked.wait_for(2)
    items.close()
    assert asked.count == 2


def test_an_item_s_error_comes_when_its_turn_does():
    items = ahead([1, 2].__getitem__, 3)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(IndexError):
        next(items)


def test_all_calls_are_made_by_the_end_and_give_their_results():
    made = []
    with ThreadedCalls(threads=1) as behind:
        futures = [behind.call(made.append, number) for number in range(20)]
    assert made == list(range(20))
    assert [future.result() for future in futures] == [None] * 20


def test_a_loop_too_far_ahead_waits():
    gate, reached = threading.Event(), []

    def loop():
        with ThreadedCalls(threads=2, waiting=3) as behind:
            for number in range(6):
                behind.call(gate.wait)
                reached.append(number)
                if number == 2:
                    three.set()

    three = threading.Event()
    thread = threading.Thread(target=loop)
    thread.start()
    assert three.wait(30)
    assert reached == [0, 1, 2], "the fourth call waits for the first to be done"
    gate.set()
    thread.join(30)
    assert reached == list(range(6))


@pytest.mark.parametrize("later", [0, 1, 9])
def test_the_error_of_a_call_reaches_the_loop(later):
    def loop():
        with ThreadedCalls(waiting=2) as behind:
            behind.call(divmod, 1, 0)
            for number in range(later):
                behind.call(abs, number)

    with pytest.raises(ZeroDivisionError):
        loop()


def test_the_loop_s_own_error_goes_before_and_drops_what_has_not_begun():
    gate, made = threading.Event(), []

    def loop():
        with ThreadedCalls(threads=1, waiting=9) as behind:
            behind.call(gate.wait, 30)
            for number in range(3):
                # Dropped, a call is done too.
                behind.call(made.append, number).add_done_callback(lambda _: gate.set())
            raise KeyError

    with pytest.raises(KeyError):
        loop()
    assert made == []
