"""One picture, with all that its file kept, through a network: colours to sRGB and back, depth, gray, alpha."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from pdloss import degradations
from pdloss.degradations import BayerMosaic
from pdloss.degradations.given import is_given
from pdloss.devices import channels_last, chosen_device
from pdloss.errors import SpecError
from pdloss.evaluation import load_network
from pdloss.memory import enough_memory
from pdloss.ops.resize import resize
from pdloss.picture_files.originals import Original
from pdloss.restoration.engine import Done, Engine, Precision
from pdloss.restoration.tiles import Sink, Source
from pdloss.runs.purposes import trained_for
from pdloss.specs.trust import RECEIVED, Trust

_LESS = "close other programs, cut it into smaller pictures, or use --device cpu where the processor has more memory"

Progress = Callable[[int, int], object]


class Restoration(NamedTuple):
    """A picture restored, and what must be said of it."""

    picture: Original
    done: Done
    notes: list[str]


class Restorer:
    """Restores pictures with one model.

    Args:
        model: Run folder, or file of weights that names its network; or the network itself.
        device: As in training.
        tile: Side of the tiles; None for what the free memory allows.
        mosaic: For a model that demosaics: make a mosaic of each picture first.
        precision: As `Engine`.
        trusted: Which modules the model's text may name.

    Raises:
        RunError: If the model cannot be used.
        SpecError: If `mosaic` is asked for, and the model takes none; or the tile is too small.
    """

    def __init__(
        self,
        model: Path | nn.Module,
        device: str = "auto",
        tile: int | None = None,
        mosaic: bool = False,
        precision: Precision = "auto",
        trusted: Trust = RECEIVED,
    ) -> None:
        self.device = chosen_device(device)
        self.name, self.mosaic = str(model) if isinstance(model, Path) else type(model).__name__, mosaic
        self.sensor = sensor_of(model) if isinstance(model, Path) else None
        if mosaic and self.sensor is None:
            text = trained_for(model).degradation if isinstance(model, Path) else None
            raise SpecError(
                f"--mosaic: {self.name} takes no mosaics; it was trained for {text or 'something it does not tell'}"
            )
        network = model if isinstance(model, nn.Module) else load_network(model, self.device, trusted)
        network = channels_last(network).to(self.device).eval()
        channels = {"plane": 1, "packed": 4}.get(self.sensor.layout, 3) if self.sensor else 3
        self.engine = Engine(network, self.device, tile, channels, precision)

    def __call__(self, picture: Original, called: str, progress: Progress = lambda done, total: None) -> Restoration:
        """Returns a picture restored, of the same depth and colours.

        Args:
            picture: What its file holds.
            called: What to call it in an error.
            progress: Told how many tiles of how many are done.

        Raises:
            OutOfMemoryError: If even small tiles do not fit.
            SpecError: If the model was trained for another kind of picture.
        """
        height, width = picture.values.shape[:2]
        with enough_memory(f"restoring {called} of {width} x {height} pixels", _LESS):
            if self.sensor is None:
                source, size = _source(picture), (height, width)
                gray = is_gray(picture.values)
            else:
                mosaic = _mosaic(_image(picture), self.sensor, self.mosaic, called, self.name)
                size, gray = (mosaic.shape[-2], mosaic.shape[-1]), False
                source = _window(mosaic)
            scale = self.engine.reach.scale
            colours = picture.values.shape[2:] or ((3,) if self.sensor else ())
            made = np.empty((size[0] * scale, size[1] * scale, *colours), picture.values.dtype)
            done = self.engine.restore(*size, source, _sink(made, picture, gray), progress, picture.deep)
            notes, self.engine.notes = self.engine.notes, []
            return Restoration(picture.with_values(made, _enlarged(picture.alpha, made.shape[:2])), done, notes)


def sensor_of(model: Path) -> BayerMosaic | None:
    """Returns the sensor whose mosaics a model was trained on; None if it takes pictures."""
    text = trained_for(model).degradation
    links = degradations.parse(text).links if text and not is_given(text) else ()
    return next((link for link in links if isinstance(link, BayerMosaic)), None)


def is_gray(values: NDArray[Any]) -> bool:
    """Returns whether a picture has no colours."""
    return values.ndim == 2 or bool(
        (values[..., 0] == values[..., 1]).all() and (values[..., 0] == values[..., 2]).all()
    )


def as_floats(values: NDArray[Any], picture: Original) -> Float[np.ndarray, "h w 3"]:
    """Returns some of a picture's values as sRGB in [0, 1], or beyond where its colours are."""
    channels = values if values.ndim == 3 else values[..., None]
    top = np.float32(65535 if picture.deep else 255)
    floats = picture.conversion.to_srgb(channels) if picture.conversion else channels.astype(np.float32) / top
    return np.broadcast_to(floats, (*floats.shape[:2], 3))


def _source(picture: Original) -> Source:
    def window(rows: slice, columns: slice) -> Tensor:
        floats = as_floats(picture.values[rows, columns], picture)
        return torch.from_numpy(np.array(floats.transpose(2, 0, 1), order="C"))

    return window


def _window(image: Tensor) -> Source:
    return lambda rows, columns: image[:, rows, columns]


def _sink(made: NDArray[Any], picture: Original, gray: bool) -> Sink:
    top = 65535 if made.dtype == np.uint16 else 255

    def rows(begin: int, values: Tensor) -> None:
        if gray:
            values = values.mean(0, keepdim=True).expand(3 if made.ndim == 3 else 1, -1, -1)
        if picture.conversion:
            converted = picture.conversion.from_srgb(values.permute(1, 2, 0).numpy())
            values = torch.from_numpy(converted).permute(2, 0, 1)
        levels = (values.clamp(0, 1) * top + 0.5).floor().to(torch.int32).permute(1, 2, 0).numpy()
        made[begin : begin + len(levels)] = levels if made.ndim == 3 else levels[..., 0]

    return rows


def _image(picture: Original) -> Float[Tensor, "3 h w"]:
    return _source(picture)(slice(None), slice(None))


def _enlarged(alpha: NDArray[Any] | None, size: tuple[int, ...]) -> NDArray[Any] | None:
    """Returns alpha in another size, bicubic; in the same, as it is."""
    if alpha is None or alpha.shape == size:
        return alpha
    top = np.iinfo(alpha.dtype).max
    made = resize(torch.from_numpy(alpha.astype(np.float32))[None], (size[0], size[1]), "bicubic")[0]
    levels: NDArray[Any] = (made.clamp(0, top) + 0.5).floor().numpy().astype(alpha.dtype)
    return levels


def _mosaic(
    image: Float[Tensor, "3 h w"], sensor: BayerMosaic, ask: bool, called: str, model: str
) -> Float[Tensor, "c h2 w2"]:
    """Returns the mosaic that a picture is, or, if that was asked for, is made into.

    A gray picture is taken as what the sensor measured, one value at each pixel; a coloured one with zeros where the
    sensor measures nothing is one laid out as ``masked``.

    Raises:
        SpecError: If it is an ordinary picture.
    """
    if sensor.layout == "masked" and torch.equal(sensor.at_its_sites(image), image):
        return image
    if not ask and not bool((image == image[:1]).all()):
        raise SpecError(
            f"{model} was trained to demosaic: it expects what {sensor} makes, and {called} is an ordinary picture; "
            "--mosaic makes a mosaic of it first"
        )
    # Where all colours are equal, what a sensor measures is the picture itself.
    return BayerMosaic(sensor.pattern, 0.0, sensor.layout)(image, torch.Generator())
