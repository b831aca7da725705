"""Every command and snippet in README and docs runs and prints what the page says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from heuristics.policies import POLICIES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HOLDERS = re.compile(r"ms +\S+: \d.*$")
RUN_TIME = re.compile(r"\d+\.\d+ s\b")


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, text)
        for page in PAGES
        for kind, text in FENCE.findall(page.read_text(encoding="utf-8"))
        if kind == language
    ]


def normalised(text: str) -> list[str]:
    """Lines without run times, runs of spaces, and holders: optima tie in who holds what."""
    lines = [HOLDERS.sub("ms", RUN_TIME.sub("# s", line)) for line in text.splitlines()]
    return [" ".join(line.split()) for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that looks like a fresh clone to relative paths."""
    made = tmp_path_factory.mktemp("reader")
    (made / "instances").symlink_to(ROOT / "instances")
    return made


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_console_block_prints_what_it_shows(folder):
    """In order: later commands use files that earlier ones write."""
    shown = blocks("console")
    assert shown
    for page, text in shown:
        first, *expected = text.splitlines()
        assert first.startswith("$ python -m "), f"{page}: {first}"
        printed = normalised(run(shlex.split(first)[2:], folder))
        for line in normalised("\n".join(expected)):
            assert line in printed, f"{page}: {first}: {line}"


@pytest.mark.parametrize(("page", "snippet"), blocks("python"))
def test_every_python_snippet_runs(page, snippet, folder):
    run(["-c", snippet], folder)


def test_make_gap_prints_the_tables_of_the_readme(folder):
    """The whole small set: the policies are validated against every proven optimum."""
    (tables,) = (text for page, text in blocks("text") if page == "README.md")
    printed = run(["-m", "benchmarks.gap", "--instances", "instances/small/"], folder)
    lines = [without_times(line) for line in printed.splitlines()]
    for line in tables.splitlines():
        assert line == "..." or without_times(line) in lines
    assert len(lines) >= 50


def without_times(line: str) -> list[str]:
    """The cells of a line, but for the two run times that end the line of a policy."""
    cells = normalised(line)[0].split() if line else []
    return cells[:-2] if cells and cells[0] in POLICIES else cells


def test_the_sh_blocks_name_targets_that_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [target for _, text in blocks("sh") for target in re.findall(r"make (\w+)", text)]
    assert {"gap", "test"} <= set(targets)
    for target in targets:
        assert f"\n{target}:" in makefile


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(\w+)$", "".join(TOCTREE.findall(index)), re.MULTILINE)
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    assert sorted(listed) == sorted(pages)
