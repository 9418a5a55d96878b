"""Templates: values are escaped, what is missing is an error, and the extra is named where Jinja is not there."""

import sys

import jinja2
import pytest

from pdloss.errors import MissingExtraError
from pdloss.templates import template


def test_values_are_escaped_and_what_is_missing_is_an_error() -> None:
    environment = template("pdloss.study", "analysis.html.j2", "study", {"twice": lambda text: 2 * text}).environment
    assert environment.from_string("{{ text | twice }}").render(text="<b>") == "&lt;b&gt;&lt;b&gt;"
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ text }}").render()


def test_without_jinja_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pdloss\[study\]'"):
        template("pdloss.study", "analysis.html.j2", "study")


@pytest.mark.parametrize(("package", "style"), [("pdloss.report", "style.css.j2"), ("pdloss.study", "analysis.css.j2")])
def test_pages_share_their_themes_and_type_and_each_rule_stands_once(package: str, style: str) -> None:
    text = template(package, style, "report").render(themes={"light": {"ink": "#111"}, "dark": {"ink": "#eee"}})
    assert text.index("--ink: #111") < text.index("--ink: #eee")
    assert text.count("{") == text.count("}")
    assert text.count("body {") == text.count(":focus-visible { outline") == 1
