"""README and the pages of docs/ hold what they claim: links, commands, code, and nothing left out."""

import contextlib
import csv
import io
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from documentation.verbs import SUBVERBS
from pdloss.cli import VERBS, main
from pdloss.sweeps.jobs import jobs_of
from pdloss.sweeps.plan import read_plan

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *DOCS, ROOT / "experiments" / "LOG.md"]
SHOWN = [ROOT / "README.md", *DOCS]
"""Pages whose commands and code somebody copies."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(text: str, language: str = "") -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The names that a page's headings can be linked by, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Links of a page to a file or a heading that is not there; those to other sites are not followed."""
    broken = []
    for link in re.findall(r"\]\(([^()\s]+)\)", re.sub(r"`[^`\n]*`", "", text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(text_of(target))):
            broken.append(link)
    return broken


def commands(page: Path) -> Iterator[list[str]]:
    """The commands of the program that stand in the page's blocks, without what ellipses leave open."""
    text = text_of(page)
    indented = "\n".join(re.findall(r"^    (.*)$", text, re.MULTILINE))
    for line in "\n".join([*blocks(text), indented]).replace("\\\n", " ").splitlines():
        if line.startswith("pdloss ") and "…" not in line:
            yield shlex.split(line, comments=True)[1:]


def without_options_of_their_verb(words: list[str], helps: dict[tuple[str, ...], str]) -> list[str]:
    """The options of a command that the help of its verb does not have."""
    name = tuple(words[:2]) if tuple(words[:2]) in helps else (words[0],)
    known = helps[name] + (helps["train",] if words[0] == "sweep" else "")  # which takes those of train too
    return [word for word in words if word.startswith("--") and not re.search(rf"{word}\b(?!-)", known)]


@pytest.fixture(scope="module")
def helps() -> dict[tuple[str, ...], str]:
    """What each verb says of itself."""
    said = {}
    for name in ((verb, *more) for verb in VERBS for more in [(), *((sub,) for sub in SUBVERBS.get(verb, ()))]):
        with contextlib.redirect_stdout(io.StringIO()) as written, contextlib.suppress(SystemExit):
            main([*name, "--help"])
        said[name] = written.getvalue()
    return said


def test_the_readme_has_at_most_600_words_code_and_all() -> None:
    assert 200 < len(text_of(ROOT / "README.md").split()) <= 600


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    assert broken_links(page) == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page's heading\n[a](#a-pages-heading) [b](#other) [c](none.md) [d](page.md#b) [e](https://x.org/)\n"
    )
    assert broken_links(page) == ["#other", "none.md", "page.md#b"]


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        links = re.findall(r"\]\(([\w/.-]+\.md)", text_of(page))
        ahead += [path for link in links if (path := (page.parent / link).resolve()) not in reached]
    assert set(DOCS) <= reached


def test_the_page_of_variables_names_exactly_those_that_are_read() -> None:
    name = re.compile(r"PDLOSS_[A-Z_]+")
    read = {
        found
        for place in ("src", "tests", "examples", "benchmarks", "experiments", "Makefile", ".ci")
        for path in [ROOT / place, *(ROOT / place).rglob("*")]
        if path.is_file() and path.suffix in {".py", ".sh", ".j2", ""}
        for found in name.findall(path.read_text(encoding="utf-8", errors="replace"))
    }
    page = text_of(ROOT / "docs" / "environment.md")
    assert set(re.findall(r"^\| `(PDLOSS_[A-Z_]+)` \|", page, re.MULTILINE)) == read
    assert set(name.findall(page)) == read


def test_the_page_of_commands_has_a_section_with_an_example_for_every_verb() -> None:
    sections = re.split(r"^### ", text_of(ROOT / "docs" / "commands.md"), flags=re.MULTILINE)[1:]
    assert {section.split("\n", 1)[0] for section in sections} == set(VERBS)
    for section in sections:
        assert f"\n    pdloss {section.split(chr(10), 1)[0]}" in section


def test_the_commands_that_are_shown_have_options_that_their_verbs_know(helps: dict[tuple[str, ...], str]) -> None:
    shown = [words for page in SHOWN for words in commands(page)]
    assert {words[0] for words in shown} == set(VERBS)
    assert [(words, odd) for words in shown if (odd := without_options_of_their_verb(words, helps))] == []


def test_an_option_that_no_verb_has_is_found(helps: dict[tuple[str, ...], str]) -> None:
    assert without_options_of_their_verb(["study", "design", "--crop", "--over"], helps) == ["--over"]
    assert without_options_of_their_verb(["restore", "a.png", "--mode", "run"], helps) == ["--mode"]


def test_the_loop_of_the_readme_trains() -> None:
    (code,) = blocks(text_of(ROOT / "README.md"), "python")
    assert code.count("\n") <= 12
    network = torch.nn.Conv2d(3, 3, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    target = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    degraded = target / 2
    optimiser = torch.optim.SGD(network.parameters(), lr=1)
    exec(code, {"network": network, "loader": 15 * [(degraded, target)], "optimiser": optimiser})
    assert (network(degraded) - target).abs().mean() < 0.7 * target.mean()  # with which it began


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_the_code_of_every_page_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = blocks(text_of(page), "python")
    for code in found:
        exec(code, {})
    assert bool(capsys.readouterr().out) == bool(found)


def test_the_plan_that_is_shown_is_one(tmp_path: Path) -> None:
    (plan,) = blocks(text_of(ROOT / "docs" / "sweeps.md"), "toml")
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    read = read_plan(tmp_path / "plan.toml")
    assert str(read.out).endswith("runs/which-weight")
    # For each of two networks: a start, a calibration, and the losses at their weights, shares and seeds.
    assert len(jobs_of(read)) == 2 * (1 + 1 + 1 + 5 + 2 + 3)


def test_what_is_where_names_every_room_and_no_other() -> None:
    (tree,) = blocks(text_of(ROOT / "docs" / "layout.md"))
    shown = set(re.findall(r"^[├└]── ([\w.]+)", tree, re.MULTILINE))
    package = ROOT / "src" / "pdloss"
    there = {path.name for path in package.glob("*.py") if path.stem not in ("__init__", "__main__")}
    there |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert shown == there


def test_contributing_has_the_layers_that_are_verified() -> None:
    contracts = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    verified = [set(layer.split(" | ")) - {"_types"} for layer in contracts[0]["layers"]]
    (shown,) = blocks(text_of(ROOT / "CONTRIBUTING.md"))
    layers = [set(layer.split()) for line in shown.splitlines() for layer in line.split("→")]
    assert layers == verified


def test_the_readme_claims_what_was_measured() -> None:
    pages = (text_of(ROOT / page).replace("\N{MINUS SIGN}", "-") for page in ("README.md", "experiments/LOG.md"))
    readme, log = (" ".join(page.split()) for page in pages)

    def mean(candidate: str, metric: str, task: str = "denoise") -> float:
        place = ROOT / "experiments" / "features" / "scores" / f"{task}.csv"
        with place.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["run"].partition("-")[2] == f"{candidate}-share0.6"]
        assert len(rows) == 3 * {"denoise": 24, "sr": 14}[task]
        return sum(float(row[metric]) for row in rows) / len(rows)

    lower = mean("perceptual", "lpips") - mean("paper", "lpips")
    ((high, low),) = re.findall(rf"LPIPS -{lower:.4f} \[-([\d.]+), -([\d.]+)\]", log)
    assert f"LPIPS lower by {lower:.4f} [{low}, {high}]" in readme
    assert f"PSNR higher by {mean('paper', 'psnr') - mean('perceptual', 'psnr'):.2f} dB" in readme
    lower, cost = mean("paper", "lpips") - mean("still", "lpips"), mean("paper", "psnr") - mean("still", "psnr")
    ((high, low),) = re.findall(rf"LPIPS -{lower:.4f} \[-([\d.]+), -([\d.]+)\]", log)
    assert f"lowers LPIPS by another {lower:.3f} [{float(low):.3f}, {float(high):.3f}] for {cost:.2f} dB" in readme
    small, cost = (mean("paper", metric, "sr") - mean("still", metric, "sr") for metric in ("lpips", "psnr"))
    paper = mean("perceptual", "lpips", "sr") - mean("paper", "lpips", "sr")
    assert f"the order is the same: {paper:.3f}, and another {small:.3f} for {cost:.2f} dB" in readme
    assert mean("paper", "lpips_vgg", "sr") < mean("still", "lpips_vgg", "sr")
    assert re.search(r"from fresh weights .{0,90}the perceptual loss is ahead, LPIPS lower by", log)
