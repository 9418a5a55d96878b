"""Networks of ours for spandrel, and so for ComfyUI, chaiNNer and others that load upscalers with it.

After `install`, ``spandrel.ModelLoader`` recognises EDSR, SRN, DsDeblur and SRResNet as `pdloss export --safetensors`
wrote them: beside the weights, the file holds the network's text, by which it is built. NAFNet spandrel knows itself.
Weights of a run folder, without that text, are told by their names and shapes, where these tell all there is.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from pdloss import networks
from pdloss.errors import MissingExtraError
from pdloss.networks.signature import NETWORK_KEY, network_of, text_in

_NAMES = {"edsr": "EDSR", "srn": "SRN", "dsdeblur": "DsDeblur", "srresnet": "SRResNet"}


def install() -> list[str]:
    """Adds the four architectures to spandrel's main registry, once, and returns their ids.

    Raises:
        MissingExtraError: If spandrel is not installed.
    """
    try:
        from spandrel import MAIN_REGISTRY, ArchSupport
    except ImportError:
        raise MissingExtraError("spandrel", "spandrel") from None
    others = tuple(support.architecture.id for support in MAIN_REGISTRY)  # ours are strict, so they may look first
    supports = [ArchSupport.from_architecture(_architecture(name), before=others) for name in _NAMES]
    MAIN_REGISTRY.add(*supports, ignore_duplicates=True)
    return [f"pdloss-{name}" for name in _NAMES]


def _architecture(name: str) -> Any:
    from spandrel import Architecture, ImageModelDescriptor

    class Ours(Architecture[nn.Module]):
        def __init__(self) -> None:
            super().__init__(id=f"pdloss-{name}", name=f"{_NAMES[name]} (pdloss)", detect=self.recognised)

        @staticmethod
        def recognised(tensors: Mapping[str, Tensor]) -> bool:
            text = network_of(tensors)
            return text is not None and networks.NETWORKS.parse(text).name == name

        def load(self, tensors: Mapping[str, Tensor]) -> Any:
            text = text_in(tensors) or network_of(tensors) or name
            network = networks.network(text)
            scale = int(getattr(networks.NETWORKS.parse(text), "scale", 1))
            return ImageModelDescriptor(
                network, {key: value for key, value in tensors.items() if key != NETWORK_KEY}, architecture=self,
                purpose="SR" if scale > 1 else "Restoration", tags=[text], supports_half=name in ("edsr", "srresnet"),
                supports_bfloat16=name in ("edsr", "srresnet"), scale=scale, input_channels=3, output_channels=3,
            )  # fmt: skip

    return Ours()
