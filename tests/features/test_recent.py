"""What was made of the last few images is not made again, and nothing is kept of images that are gone."""

import copy
import gc
import pickle

import pytest
import torch

from pdloss.features.recent import Recent


@pytest.fixture
def counted():
    """A function, and what it was called with."""
    seen = []

    def double(images):
        seen.append(images.sum().item())
        return images * 2

    return double, seen


@torch.no_grad()
def test_the_last_few_tensors_are_known_by_identity_and_the_oldest_is_forgotten(counted):
    double, seen = counted
    recent = Recent(keep=2)
    a, b, c = (torch.full((1,), value) for value in (1.0, 2.0, 3.0))
    for images in (a, b, a, c, a, b):
        assert torch.equal(recent(images, double), images * 2)
    assert seen == [1, 2, 3, 2]  # the second b is made anew: a was asked for since
    assert torch.equal(recent(a.clone(), double), a * 2)
    assert len(seen) == 5


@torch.no_grad()
def test_a_tensor_that_was_written_to_is_another(counted):
    double, seen = counted
    recent = Recent(keep=1)
    images = torch.ones(1)
    recent(images, double)
    images.mul_(5)
    assert recent(images, double).item() == 10
    assert seen == [1, 5]


def test_where_gradients_are_recorded_nothing_is_remembered(counted):
    double, seen = counted
    recent = Recent(keep=1)
    images = torch.ones(1)
    for _ in range(2):
        recent(images, double)
    with torch.inference_mode():
        inside = torch.ones(1)
        for _ in range(2):
            recent(inside, double)
    assert len(seen) == 4


@torch.no_grad()
def test_what_was_made_of_images_goes_with_them(counted):
    import weakref

    double, _ = counted
    recent = Recent(keep=3)
    images = torch.ones(1)
    made = weakref.ref(recent(images, double))
    assert made() is not None
    del images
    gc.collect()
    assert made() is None


@torch.no_grad()
def test_copies_remember_nothing(counted):
    double, seen = counted
    recent = Recent(keep=1)
    images = torch.ones(1)
    recent(images, double)
    for copied in (copy.deepcopy(recent), pickle.loads(pickle.dumps(recent))):
        copied(images, double)
    assert len(seen) == 3
