"""Text and tables as LaTeX, with the rules of the package booktabs."""

from collections.abc import Sequence

_LETTERS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\to$",
    "±": r"$\pm$", "·": r"$\cdot$", "≈": r"$\approx$", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\N{MINUS SIGN}": "$-$", "\N{EN DASH}": "--", "\N{EM DASH}": "---", "\N{HAIR SPACE}": "",
    "\N{NO-BREAK SPACE}": "~", "λ": r"$\lambda$",
}  # fmt: skip


def escaped(text: str) -> str:
    r"""Returns the text so that LaTeX shows it as it is.

    Example:
        >>> escaped("a_b ↑")
        'a\\_b $\\uparrow$'
    """
    return "".join(_LETTERS.get(letter, letter) for letter in text)


def tabular(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Returns a ``tabular`` of plain headings, and of rows that are LaTeX already.

    Args:
        headings: One for each column.
        rows: Cells of LaTeX.
        left: How many of the first columns hold names.
    """
    lines = [rf"\begin{{tabular}}{{{'l' * left}{'r' * (len(headings) - left)}}}", r"\toprule"]
    lines += [" & ".join(map(escaped, headings)) + r" \\", r"\midrule"]
    lines += [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])
