"""Losses in few words: their terms, and of each the options that tell it from the others it stands beside."""

from collections.abc import Iterable, Sequence

from pdloss.errors import SpecError
from pdloss.specs import Call, read_sum, value_text
from pdloss.tables.numerals import UNKNOWN


def terms_of(loss: str) -> dict[Call, float]:
    """Returns the weight of each term of a loss.

    Raises:
        SpecError: If the text is not a sum of losses, such as words about somebody else's training.

    Example:
        >>> {str(term): weight for term, weight in terms_of("l1 + 1e-05*pdl(p=1)").items()}
        {'l1': 1.0, 'pdl(p=1)': 1e-05}
    """
    weights: dict[Call, float] = {}
    for weight, term in read_sum(loss):
        weights[term] = weights.get(term, 0.0) + weight
    return weights


def readable(loss: str | None) -> dict[Call, float] | None:
    """Returns the terms of a loss; None of an unknown one, and of free text."""
    if loss is None:
        return None
    try:
        return terms_of(loss)
    except SpecError:
        return None


def brief(loss: str | None, every: Sequence[str | None]) -> str:
    """Returns the loss with those options alone in which it differs from the others; free text as it is.

    Example:
        >>> brief("l1 + 0.002*pdl(features='vgg19.relu4_3', p=1)", ["l1"])
        'l1 + 0.002·pdl'
    """
    weights = readable(loss)
    if weights is None:
        return loss or UNKNOWN
    others = {term for other in (*every, loss) for term in readable(other) or ()}
    return " + ".join(
        f"{'' if weight == 1 else f'{value_text(weight)}·'}{short(term, others)}" for term, weight in weights.items()
    )


def short(term: Call, others: Iterable[Call]) -> str:
    """Returns the term with those options alone that another of its name has otherwise; words without their key.

    Example:
        >>> terms = list(terms_of("pdl(features='a.b', p=1) + pdl(features='c.d', p=1)"))
        >>> short(terms[0], terms)
        'pdl(a.b)'
    """
    namesakes = [dict(other.options) for other in others if other.name == term.name]
    said = [
        value if isinstance(value, str) else f"{key}={value_text(value)}"
        for key, value in term.options
        if any(options.get(key, value) != value for options in namesakes)
    ]
    return f"{term.name}({', '.join(said)})" if said else term.name
