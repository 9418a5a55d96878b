"""Text and tables as LaTeX, with the rules of the package booktabs."""

from collections.abc import Iterable, Sequence

from pdloss.tables.table import Cell, Table

_LETTERS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\to$",
    "±": r"$\pm$", "·": r"$\cdot$", "≈": r"$\approx$", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "\N{MINUS SIGN}": "$-$", "\N{EN DASH}": "--", "\N{EM DASH}": "---", "\N{HAIR SPACE}": "",
    "\N{NO-BREAK SPACE}": "~", "λ": r"$\lambda$", "τ": r"$\tau$", "\n": " ",
}  # fmt: skip


def escaped(text: str) -> str:
    r"""Returns the text so that LaTeX shows it as it is, in one line.

    Example:
        >>> escaped("a_b ↑")
        'a\\_b $\\uparrow$'
    """
    return "".join(_LETTERS.get(letter, letter) for letter in text)


def latex(tables: Sequence[Table]) -> str:
    """Returns a ``tabular`` for each table, with its title and remarks as comments above."""
    return "\n".join(["% needs \\usepackage{booktabs}\n", *map(_table, tables)])


def _table(table: Table) -> str:
    said = [" ".join(line.split()) for line in (table.title, *table.remarks) if line]
    columns = "l" * table.left + "r" * (len(table.headings) - table.left)
    lines = [*(f"% {line}" for line in said), rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines += [_line(map(escaped, table.headings)), r"\midrule"]
    for row in table.cells:
        lines.append(_line(map(_cell, row)))
        if any(cell.note for cell in row):
            lines.append(_line(rf"{{\scriptsize {escaped(cell.note)}}}" if cell.note else "" for cell in row))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _line(texts: Iterable[str]) -> str:
    return " & ".join(texts) + r" \\"


def _cell(cell: Cell) -> str:
    text = rf"\textit{{{escaped(cell.text)}}}" if cell.italic else escaped(cell.text)
    return rf"\textbf{{{text}}}" if cell.bold else text
