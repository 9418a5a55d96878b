"""A user's own features: a class in their file, named in text."""

import pytest
import torch
from torch import Tensor, nn

from pdloss.errors import SpecError
from pdloss.features import FeatureNames, OwnFeatures, extractor
from pdloss.specs.trust import TYPED

HERE = __name__


class Tiny(nn.Module):
    """One trainable convolution and a dropout: what must not train, and must not drop."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, width, 2, stride=2)
        self.dropout = nn.Dropout(0.9)

    def forward(self, images: Tensor) -> Tensor:
        return self.dropout(self.convolution(images))


class Two:
    """Not a module; gives two maps."""

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        return {"once": images, "twice": 2 * images}


class Gives:
    """Gives what it is told, for all the errors one can make."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, images: Tensor) -> object:
        return {"vector": images.mean((2, 3)), "none": {}, "list": [images], "inside": {"a": images, "b": "text"}}[
            self.kind
        ]


def nothing() -> None:
    """Makes no module."""


def test_text_makes_the_users_module_with_its_arguments(generator: torch.Generator) -> None:
    images = torch.rand(2, 3, 6, 4, generator=generator)
    features = extractor(f"{HERE}:Tiny(width=8)", TYPED)
    maps = features(images)
    assert maps["maps"].shape == (2, 8, 3, 2)
    torch.testing.assert_close(maps["maps"], features.own.convolution(images))


def test_it_is_frozen_and_stays_in_eval_mode(generator: torch.Generator) -> None:
    features = extractor(f"{HERE}:Tiny", TYPED)
    parent = nn.Sequential(features).train()
    assert not any(module.training for module in features.modules())
    assert not any(parameter.requires_grad for parameter in parent.parameters())
    images = torch.rand(1, 3, 4, 4, generator=generator, requires_grad=True)
    features(images)["maps"].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0


def test_a_plain_callable_may_give_several_maps() -> None:
    maps = extractor(f"{HERE}:Two", TYPED)(torch.ones(1, 3, 2, 2))
    assert {name: x.mean().item() for name, x in maps.items()} == {"once": 1, "twice": 2}


@pytest.mark.parametrize("text", ["mine:Tiny", "a.b.mine:Tiny(width=8)", "mine:Tiny(name='a.safetensors', at=[1, 2])"])
def test_the_text_of_names_makes_them_again(text: str) -> None:
    names = FeatureNames.parse(text, TYPED)
    assert str(names) == text
    assert names.layers == ()
    assert FeatureNames.parse(f" {text} ".replace("=", " = "), TYPED) == names


def test_terms_that_name_it_share_one(generator: torch.Generator) -> None:
    from pdloss.losses import objective

    built = objective(
        f"pdl(features='{HERE}:Tiny(width=8)') + perceptual(features='{HERE}:Tiny( width=8 )')", TYPED
    ).build()
    first, second = built.terms
    assert first.extractor is second.extractor  # type: ignore[attr-defined]
    assert isinstance(first.extractor, OwnFeatures)  # type: ignore[attr-defined]
    restored, target = torch.rand(2, 1, 3, 8, 8, generator=generator)
    assert built(restored, target).total.item() > 0
    assert built.origin == {f"{HERE}:Tiny(width=8)": "own module"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no_such_module:Tiny", "no_such_module:Tiny: No module named 'no_such_module'"),
        (f"{HERE}:Tinny", f"{HERE}:Tinny: .* no attribute 'Tinny'"),
        (f"{HERE}:Tiny(height=8)", "unexpected keyword argument 'height'"),
        (f"{HERE}:Tiny(8)", "at '8': write the option's name too"),
        (f"{HERE}:Tiny(width=8", "unknown features .* package.module:Name"),
        (f"{HERE}:Tiny(width=8).maps", "unknown features .*Tiny.width=8.*; .* package.module:Name.*, without layers"),
        (f"{HERE}:nothing", "nothing is of the type function, and not features: .* its annotation says"),
        (f"{HERE}:HERE", "HERE is of the type str, and not features: a class"),
    ],
)
def test_a_slip_of_the_pen_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        extractor(text, TYPED)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("vector", r"a tensor of shape \(1, 3\), expected a map"),
        ("none", r"gave \{\}, expected"),
        ("list", "gave a list, expected"),
        ("inside", r"\{'a': a tensor of shape \(1, 3, 2, 2\), 'b': a str\}, expected"),
    ],
)
def test_what_is_no_map_is_refused(kind: str, message: str) -> None:
    features = extractor(f"{HERE}:Gives(kind='{kind}')", TYPED)
    with pytest.raises(SpecError, match=message):
        features(torch.ones(1, 3, 2, 2))
