"""A network's weights alone, in safetensors, with all that must be said of them in the header."""

from pathlib import Path

from pdloss import networks
from pdloss.exporting.parity import worst_difference
from pdloss.exporting.subject import Subject
from pdloss.files.tensors import write_tensors
from pdloss.networks import NETWORKS
from pdloss.networks.signature import NETWORK_KEY, text_tensor
from pdloss.runs.states import load_module, tensors_of
from pdloss.specs.trust import TYPED

SPANDREL_NEEDS = ("edsr", "srn", "dsdeblur", "srresnet")
"""Networks whose text stands among their weights, for `pdloss.adapters.spandrel`; NAFNet spandrel knows as it is."""


def write_weights(subject: Subject, path: Path, half: bool = False) -> float:
    """Writes a safetensors file that `pdloss restore --model` takes, and returns the worst difference of its weights.

    Args:
        subject: What to write.
        path: Where to.
        half: Round the weights to float16; whoever loads them computes as they please.

    Raises:
        RunError: If what was rounded gives something else.
    """
    tensors = tensors_of(subject.network.state_dict())
    if half:
        tensors = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    if (named := NETWORKS.parse(subject.text, TYPED)).name in SPANDREL_NEEDS:
        tensors[NETWORK_KEY] = text_tensor(named.in_full())
    again = networks.network(subject.text, TYPED).eval()  # the text of a network that was built already
    load_module(again, {name: value for name, value in tensors.items() if name != NETWORK_KEY})
    precision = "float16" if half else "float32"
    worst = worst_difference(subject, again, precision)
    write_tensors(path, tensors, subject.said | {"precision": precision, "worst_difference": f"{worst:.2g}"})
    return worst
