import math

import pytest
from safetensors import safe_open

from pdloss import assets
from pdloss.metrics.inception_graph import shapes


def test_the_whole_network_has_the_published_number_of_parameters():
    # torchvision's inception_v3 has 27,161,264: less its auxiliary head (3,326,696) and its classifier of 2048 features
    # and 1000 classes. Keras counts 21,802,784 without a classifier: three values per channel, no gain.
    counts = {key: math.prod(shape) for key, shape in shapes().items()}
    trained = sum(count for key, count in counts.items() if not key.endswith(("running_mean", "running_var")))
    assert trained == 27_161_264 - 3_326_696 - 2049 * 1000
    assert sum(count for key, count in counts.items() if not key.endswith("bn.weight")) == 21_802_784


def test_there_are_94_convolutions_of_five_tensors_each():
    assert len(shapes()) == 94 * 5
    assert sum(key.endswith(".conv.weight") for key in shapes()) == 94


@pytest.mark.parametrize(("dims", "convolutions"), [(64, 3), (192, 5), (768, 70), (2048, 94)])
def test_shorter_vectors_need_fewer_layers(dims, convolutions):
    assert len(shapes(dims)) == 5 * convolutions


def test_names_and_shapes_are_those_of_the_real_file(assets_folder):
    path = assets_folder / "inception-fid-partial.safetensors"
    with safe_open(path, "pt") as file:
        names = list(file.keys())
        real = {key: tuple(file.get_slice(key).get_shape()) for key in names}
    missing = [key for key in assets.metadata(path)["missing"].split() if not key.startswith("fc.")]
    assert {key: shape for key, shape in shapes().items() if key not in missing} == real
    assert set(missing) == shapes().keys() - real.keys()
    assert {shapes()[key] for key in missing} == {(384, 448, 3, 3)}
