"""Text and tables as LaTeX."""

from pdloss.tables.latex import escaped, latex
from pdloss.tables.table import Cell, Table


def test_every_letter_that_means_something_to_latex_is_shown_as_it_is() -> None:
    assert escaped(r"50% & {x}^2 #1_2 ~ $\a") == (
        r"50\% \& \{x\}\textasciicircum{}2 \#1\_2 \textasciitilde{} \$\textbackslash{}a"
    )
    assert escaped("\N{MINUS SIGN}1 \N{EN DASH} \N{EM DASH} ±→").isascii()


def test_a_tabular_has_the_rules_of_booktabs_and_a_line_for_each_row() -> None:
    table = Table(
        "of a_1", ("run", "PSNR ↑"), (("a_1", Cell("1", bold=True, note="±1")), ("b", Cell("2", italic=True)))
    )
    assert latex([table]) == (
        "% needs \\usepackage{booktabs}\n\n% of a_1\n"
        "\\begin{tabular}{lr}\n\\toprule\nrun & PSNR $\\uparrow$ \\\\\n\\midrule\n"
        "a\\_1 & \\textbf{1} \\\\\n & {\\scriptsize $\\pm$1} \\\\\nb & \\textit{2} \\\\\n"
        "\\bottomrule\n\\end{tabular}\n"
    )
