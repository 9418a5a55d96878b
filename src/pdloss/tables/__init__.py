"""Numbers, headings and tables, for a terminal, Markdown, LaTeX and CSV."""
