"""The command line: maps the verb to its file, and imports only that one."""

import importlib
import os
import sys
from collections.abc import Sequence

from pdloss.errors import UserError
from pdloss.memory import enough_memory
from pdloss.specs import suggestion

VERBS = {
    "train": "train a network on a folder of photographs, or go on with a stopped run",
    "degrade": "freeze degraded images into files, so that all measure the same",
    "evaluate": "restore a folder of photographs with trained networks, and score them",
    "score": "score anybody's pictures against what they should be, with no run at all",
    "compare": "say which run is better, by how much and how surely",
    "restore": "restore your own pictures",
    "report": "make one HTML page out of evaluated runs",
    "figure": "make pictures for a paper: crops side by side, and how the loss compares",
    "study": "ask people which restoration looks better, and lose no answer",
    "calibrate": "find the weights that give each loss term its share",
    "conformance": "check that a loss on feature maps does what its kind must, with reasons",
    "bench": "measure what training with each loss costs here",
    "niqe": "fit the model of NIQE to your own photographs",
    "distill": "train a small network to imitate the features of a large one",
    "convert": "turn published TensorFlow weights of SRN or DsDeblur into ours",
    "data": "list public sets of photographs, and fetch them",
    "assets": "list, fetch or find pretrained weights",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 the user can put it right, 2 wrong usage, 130 stopped."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from pdloss import __version__

        print(__version__)
        return 0
    verb = arguments[0]
    if verb not in VERBS:
        return _complain(f"unknown command {verb!r}{suggestion(verb, VERBS)}", 2)
    try:
        with enough_memory(f"running {verb}", "give it less at once, such as smaller pictures, crops or batches"):
            status: int = importlib.import_module(f"pdloss.commands.{verb}").main(arguments[1:])
    except UserError as error:
        return _complain(str(error), 1)
    except OSError as error:  # a full disk, a folder without permission: the system's own words and the file
        return _complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1)
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    return status


def _complain(problem: str, status: int) -> int:
    if os.environ.get("PDLOSS_TRACEBACK") and sys.exc_info()[0]:
        raise
    print(f"pdloss: {problem}", file=sys.stderr)
    return status


def _help() -> str:
    verbs = "\n".join(f"  {verb:<13}{what}" for verb, what in VERBS.items())
    return (
        "pdloss: train image restoration with distribution losses on features, and find out honestly what it gains.\n\n"
        f"usage: pdloss VERB [options]\n\n{verbs}\n\n`pdloss VERB --help` lists the options of one."
    )
