"""Whether other processes take the cores: told once, from what the clocks read."""

import pytest

from pdloss.devices.oversubscription import Oversubscription


class Clocks:
    """Two clocks that go on as told."""

    def __init__(self) -> None:
        self.passed = self.computed = 0.0


def said(share: float, threads: int = 2, seconds: float = 1.0, steps: int = 40) -> list[str]:
    """What is said of so many steps of which the thread computed that share."""
    clocks = Clocks()
    oversubscription = Oversubscription(threads, lambda: clocks.passed, lambda: clocks.computed)
    texts = []
    for _ in range(steps):
        clocks.passed += 100.0  # between two steps: waiting for data, saving
        oversubscription.begin()
        clocks.passed += seconds
        clocks.computed += share * seconds
        texts.append(oversubscription.end())
    return [text for text in texts if text]


def test_a_training_that_has_its_cores_hears_nothing() -> None:
    assert said(0.97) == []


def test_a_training_that_waits_for_its_cores_hears_it_once_with_the_cure() -> None:
    (text,) = said(0.4)
    assert "waited for them 60% of its time" in text
    assert "OMP_NUM_THREADS=1" in text


def test_one_thread_is_not_told_to_be_fewer() -> None:
    (text,) = said(0.4, threads=1)
    assert "OMP_NUM_THREADS" not in text


def test_nothing_is_said_of_a_few_seconds() -> None:
    assert said(0.4, seconds=0.01) == []


def test_the_first_steps_are_not_looked_at() -> None:
    clocks = Clocks()
    oversubscription = Oversubscription(2, lambda: clocks.passed, lambda: clocks.computed)
    texts = []
    for step in range(40):
        oversubscription.begin()
        clocks.passed += 1000.0 if step < 3 else 1.0
        clocks.computed += 1.0
        texts.append(oversubscription.end())
    assert not any(texts)


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_on_a_gpu_nothing_is_said(share: float) -> None:
    assert said(share, threads=0) == []
