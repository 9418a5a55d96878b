"""The plane of two scores: who is beaten by nobody, and what area some win, by hand."""

from pdloss.comparison.plane import Plane
from pdloss.records import Metric

PSNR = Metric(label="PSNR", unit="dB", better="higher", protocol="")
LPIPS = Metric(label="LPIPS", unit="", better="lower", protocol="")
POINTS = ((30.0, 0.5), (28.0, 0.2), (29.0, 0.6), (27.0, 0.3))


def test_the_frontier_holds_those_that_no_other_beats_in_both() -> None:
    assert Plane(PSNR, LPIPS, POINTS).frontier() == [0, 1]
    assert Plane(PSNR, PSNR, POINTS).frontier() == [0, 2]


def test_areas_begin_at_the_worst_of_both() -> None:
    plane = Plane(PSNR, LPIPS, POINTS)
    assert plane.reference == (27.0, 0.6)
    assert abs(plane.hypervolume([0]) - 3 * 0.1) < 1e-9
    assert abs(plane.hypervolume([1]) - 1 * 0.4) < 1e-9
    assert abs(plane.hypervolume([0, 1]) - (3 * 0.1 + 1 * 0.3)) < 1e-9
    assert plane.hypervolume([2]) == 0
