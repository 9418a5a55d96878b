"""The command line: maps the verb to its file, and imports only that one."""

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

from pdloss.commands import terminal, words
from pdloss.errors import UsageError, UserError, system_sentence
from pdloss.memory import enough_memory

VERBS = {
    "train": "train a network on a folder of photographs, or go on with a stopped run",
    "sweep": "train every run of a plan, and score them all",
    "reproduce": "train and score the rows of one of the paper's tables, beside the paper's own",
    "degrade": "freeze degraded images into files, so that all measure the same",
    "evaluate": "restore a folder of photographs with trained networks, and score them",
    "score": "score anybody's pictures against what they should be, with no run at all",
    "compare": "say which run is better, by how much and how surely",
    "restore": "restore your own pictures",
    "models": "list the trained networks that ship, show what they score, measure and pack them",
    "report": "make one HTML page out of evaluated runs",
    "figure": "make pictures for a paper: crops side by side, and how the loss compares",
    "study": "ask people which restoration looks better, and lose no answer",
    "calibrate": "find the weights that give each loss term its share",
    "conformance": "check that a loss on feature maps does what its kind must, with reasons",
    "bench": "measure what training with each loss costs here",
    "probe": "show what a loss on features sees: gratings, checkerboards, shuffle patterns, colour",
    "niqe": "fit the model of NIQE to your own photographs",
    "distill": "train a small network to imitate the features of a large one",
    "export": "write a trained network for other programs: ONNX, torch.export, safetensors",
    "convert": "turn published TensorFlow weights of SRN or DsDeblur into ours",
    "data": "list public sets of photographs, and fetch them",
    "assets": "list, fetch or find pretrained weights",
}


_HELP = ("-h", "--help", "-help", "help", "-?", "/?")
_VERSION = ("--version", "-V", "-version", "version")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status.

    0 done, 1 the user can put it right, 2 wrong usage, 70 a fault of ours, 130 stopped, 141 nobody reads the output.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    terminal.any_encoding()
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except UsageError as error:
        return _complain(str(error), 2)
    except UserError as error:
        return _complain(str(error), 1)
    except BrokenPipeError:
        return _complain("", 141)
    except OSError as error:  # a full disk, a folder without permission
        return _complain(system_sentence(error), 1)
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    except Exception as error:
        if os.environ.get("PDLOSS_TRACEBACK"):
            raise
        return _complain(terminal.fault_sentence(error, arguments), 70)
    return status


def _run(arguments: list[str]) -> int:
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if verb == "help" and rest:
        verb, rest = rest[0], ["--help"]
    if not arguments or verb in _HELP:
        print(_help())
        return 0 if arguments else 2
    if verb in _VERSION:
        from pdloss.commands.version import version_text

        print(version_text())
        return 0
    if verb not in VERBS:
        return _complain(words.verb_sentence(verb, VERBS), 2)
    prepared = words.prepared(verb, rest)
    with enough_memory(f"running {verb}", "give it less at once, such as smaller pictures, crops or batches"):
        status: int = importlib.import_module(f"pdloss.commands.{verb}").main(prepared)
    return status


def _complain(problem: str, status: int) -> int:
    if os.environ.get("PDLOSS_TRACEBACK") and sys.exc_info()[0]:
        raise
    terminal.drop_output()
    if problem and sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(f"pdloss: {problem}", file=sys.stderr)
    return status


def _help() -> str:
    verbs = "\n".join(f"  {verb:<13}{what}" for verb, what in VERBS.items())
    return (
        "pdloss: train image restoration with distribution losses on features, and find out honestly what it gains.\n\n"
        f"usage: pdloss VERB [options]\n\n{verbs}\n\n`pdloss VERB --help` lists the options of one.\n"
        "Exit status: 0 done, 1 you can put it right, 2 wrong usage, 70 a fault of pdloss, 130 stopped."
    )
