"""Which results form a sweep."""

from collections.abc import Mapping

import pytest

from pdloss.comparison.grouping import Group, Trained, sweeps
from tests.report.folders import run_record

PDL, PERCEPTUAL = "pdl(features='vgg19.relu4_3', p=1)", "perceptual(features='vgg19.relu4_3', p=1)"


def grouped(*losses: str | tuple[str, Mapping[str, object]]) -> list[Group]:
    """Groups runs given as losses, or as losses with settings; each has a name of its place."""
    pairs = [(loss, {}) if isinstance(loss, str) else loss for loss in losses]
    return sweeps([Trained(str(i), loss, run_record(loss=loss, **own)) for i, (loss, own) in enumerate(pairs)])


def names(groups: list[Group]) -> list[str]:
    return [group.name for group in groups]


def runs(groups: list[Group]) -> list[list[tuple[int, ...]]]:
    return [[point.runs for point in group.points] for group in groups]


def test_runs_that_differ_in_weights_alone_form_a_sweep_in_the_order_of_the_weight() -> None:
    groups = grouped(f"l1 + 0.1*{PDL}", f"l1 + 0.01*{PDL}", f"l1 + 1*{PDL}", f"l1 + 0.1*{PERCEPTUAL}")
    assert names(groups) == ["l1 + pdl", "l1 + perceptual"]
    assert runs(groups) == [[(1,), (0,), (2,)], [(3,)]]
    assert groups[0].labels == ("0.01", "0.1", "1")
    assert [point.weights for point in groups[0].points] == [(1.0, 0.01), (1.0, 0.1), (1.0, 1.0)]


def test_the_order_of_terms_and_options_is_no_other_loss() -> None:
    (group,) = grouped(f"l1 + 0.1*{PDL}", "0.2*pdl(p=1.0, features='vgg19.relu4_3') + l1")
    assert runs([group]) == [[(0,), (1,)]]


def test_options_that_are_lists_tell_losses_apart_by_name() -> None:
    groups = grouped(*(f"l1 + {w}*pdl(layer_weights=(1, {last}))" for last in (2, 3) for w in (0.1, 0.2)))
    assert names(groups) == ["l1 + pdl(layer_weights=(1, 2))", "l1 + pdl(layer_weights=(1, 3))"]
    assert runs(groups) == [[(0,), (1,)], [(2,), (3,)]]


@pytest.mark.parametrize("path", ["o'brien/net.py:F", "a + b.relu", "x, p=2", "(", 'say "hi"'])
def test_words_with_any_letter_are_read_as_words(path: str) -> None:
    (group,) = grouped(f"l1 + 0.01*pdl(features={path!r})", f"l1 + 0.02*pdl(features={path!r})")
    assert (group.name, runs([group])) == ("l1 + pdl", [[(0,), (1,)]])


def test_a_sum_within_a_quoted_word_is_no_sum_of_losses() -> None:
    (group,) = grouped("l1 + 3*own.module:Loss(text='a + 2*b')", "l1 + 4*own.module:Loss(text='a + 2*b')")
    assert group.name == "l1 + own.module:Loss"


def test_seeds_of_one_weight_are_one_point() -> None:
    groups = grouped(*((f"l1 + {w}*{PDL}", {"seed": seed}) for w in (0.1, 0.2) for seed in (0, 1, 2)))
    assert runs(groups) == [[(0, 1, 2), (3, 4, 5)]]


def test_other_settings_make_another_sweep_named_after_them() -> None:
    groups = grouped(*((f"l1 + {w}*{PDL}", {"crop": crop}) for crop in (96, 192) for w in (0.1, 0.2)))
    assert names(groups) == ["l1 + pdl, crop 96", "l1 + pdl, crop 192"]
    assert runs(groups) == [[(0,), (1,)], [(2,), (3,)]]


def test_options_that_differ_are_in_the_name_and_others_are_not() -> None:
    groups = grouped(f"l1 + 0.1*{PDL}", f"l1 + 0.1*{PDL.replace('vgg19', 'distilled')}", "l1 + 0.5*perceptual(p=2)")
    assert names(groups) == ["l1 + pdl(vgg19.relu4_3)", "l1 + pdl(distilled.relu4_3)", "l1 + perceptual"]


def test_a_loss_is_where_the_curves_of_those_that_add_to_it_begin() -> None:
    plain, pdl, other = grouped("l1", f"l1 + 0.1*{PDL}", (f"l1 + 0.1*{PERCEPTUAL}", {"steps": 400}))
    assert plain.origin is None
    assert pdl.origin == plain.points[0]
    assert [point.runs for point in pdl.path] == [(0,), (1,)]
    assert other.origin is None  # of another length of training


def test_several_weights_that_vary_are_all_told() -> None:
    (group,) = grouped(f"l1 + 0.1*{PDL} + 2*lpips", f"l1 + 0.3*{PDL} + 1*lpips")
    assert group.labels == ("0.1 / 2", "0.3 / 1")


def test_what_is_not_known_or_in_words_stands_alone_under_its_own_name() -> None:
    groups = sweeps(
        [
            Trained("ours", "l1", run_record()),
            Trained("bsrgan", None),
            Trained("esrgan", "relativistic GAN, see their paper"),
            Trained("realesrgan", None),
        ]
    )
    assert names(groups) == ["l1", "bsrgan", "esrgan", "realesrgan"]


def test_stated_losses_form_a_sweep_and_never_join_runs_whose_settings_are_known() -> None:
    groups = sweeps(
        [
            Trained("ours", "l1 + 0.1*pdl", run_record(loss="l1 + 0.1*pdl")),
            Trained("a", "l1 + 0.1*pdl"),
            Trained("b", "l1 + 0.2*pdl"),
        ]
    )
    assert runs(groups) == [[(0,)], [(1,), (2,)]]
    assert names(groups) == ["l1 + pdl", "l1 + pdl, settings \N{EM DASH}"]


def test_two_methods_of_one_stated_loss_are_not_taken_for_two_seeds() -> None:
    groups = sweeps([Trained("swin", "l1"), Trained("nafnet", "l1")])
    assert names(groups) == ["swin", "nafnet"]
