"""Drawings on the page and as files: many can share a page, and they follow its colours."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from pdloss.charts import svg
from pdloss.charts.palette import LIGHT, Colours, RunStyle
from pdloss.charts.svg import Chart


def chart(name: str = "one", title: str = "A title", words: str = "What it shows.", text: str = "label") -> Chart:
    def draw(axes, colours: Colours) -> None:
        axes.plot(np.arange(50.0), np.arange(50.0) % 7, color=colours.of(RunStyle(1)), marker="o")
        axes.annotate(text, (0, 0), color=colours["ink"])

    return Chart(name, title, words, (3.0, 2.0), draw)


def test_ids_of_two_charts_differ_and_every_reference_is_kept() -> None:
    drawn = [svg.inline(chart(name)) for name in ("one", "two")]
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in drawn]
    assert len(ids[0]) > 5
    assert not ids[0] & ids[1]
    for text, own in zip(drawn, ids, strict=True):
        references = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
        assert references
        assert references <= own


def test_colours_are_variables_of_the_page_and_nothing_is_fetched() -> None:
    text = svg.inline(chart())
    assert {"ink", "muted", "rule", "s1"} <= set(re.findall(r"var\(--(\w+)\)", text))
    assert not re.search(r"#0000[0-9a-f]{2}|https?:(?!//www.w3.org)|<style|<metadata|<script", text)


def test_a_screen_reader_is_told_what_it_shows() -> None:
    text = svg.inline(chart(title="PSNR < 30 & more", words='a "quote"'))
    root = ElementTree.fromstring(text.replace("xlink:", ""))
    assert root.attrib["role"] == "img"
    title, description = root[0], root[1]
    assert (title.tag.rpartition("}")[2], title.text) == ("title", "PSNR < 30 & more")
    assert (description.tag.rpartition("}")[2], description.text) == ("desc", 'a "quote"')
    assert root.attrib["aria-labelledby"] == title.attrib["id"]
    assert root.attrib["aria-describedby"] == description.attrib["id"]


def test_names_are_text_and_escaped() -> None:
    text = svg.inline(chart(text="<b>$x$</b> 模型"))
    assert "<b>" not in text
    assert "&lt;b&gt;$x$&lt;/b&gt; 模型" in text


def test_files_have_the_light_colours_and_are_the_same_each_time(tmp_path: Path) -> None:
    first, second = (svg.save(chart(), tmp_path / name) for name in ("a", "b"))
    assert [path.name for path in first] == ["one.svg", "one.png"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    text = first[0].read_text(encoding="utf-8")
    assert LIGHT["s1"] in text
    assert "var(" not in text
    ElementTree.fromstring(text)
    with Image.open(first[1]) as picture:
        assert picture.size == (600, 400)
        colours = {pixel for _, pixel in picture.convert("RGB").getcolors(1 << 20) or []}
    assert tuple(int(LIGHT["s1"][i : i + 2], 16) for i in (1, 3, 5)) in colours
    assert not any(pixel[:2] == (0, 0) and 0 < pixel[2] < 32 for pixel in colours)  # no stand-in is left


def test_a_hand_drawn_picture_says_what_it_shows_too() -> None:
    root = ElementTree.fromstring(svg.described("n", "a < b", "it & that", 'height="3"', "<g/>"))
    assert [child.tag for child in root] == ["title", "desc", "g"]
    assert (root[0].text, root[1].text, root.attrib["height"]) == ("a < b", "it & that", "3")
    assert (root.attrib["aria-labelledby"], root.attrib["aria-describedby"]) == (
        root[0].attrib["id"],
        root[1].attrib["id"],
    )
