"""Every command and snippet in README and docs runs and prints what the page says."""

import re
import shlex
from contextlib import chdir
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from commands import run

from heuristics.policies import POLICIES
from optmodel.ground.app import _app, _with_other_names

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


@cache
def printed(folder: Path, command: str) -> str:
    """What a command prints; several pages may show the same one."""
    with chdir(folder):
        done = run(*shlex.split(command))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_console_block_prints_what_it_shows(folder):
    """In order: later commands use files that earlier ones write."""
    shown = blocks("console")
    assert shown
    for page, text in shown:
        first, *expected = text.splitlines()
        asked = first.removeprefix("$ python -m ")
        assert asked != first, f"{page}: {first}"
        told = normalised(printed(folder, asked))
        for line in normalised("\n".join(expected)):
            assert line in told, f"{page}: {first}: {line}"


@pytest.mark.parametrize(("page", "snippet"), blocks("python"))
def test_every_python_snippet_runs(monkeypatch, page, snippet, folder):
    monkeypatch.chdir(folder)
    exec(compile(snippet, page, "exec"), {"__name__": "__main__"})


def test_make_gap_prints_the_tables_of_the_readme(folder):
    """The whole small set: the policies are validated against every proven optimum."""
    (tables,) = (text for page, text in blocks("text") if page == "README.md")
    told = printed(folder, "benchmarks.gap --instances instances/small/")
    lines = [without_times(line) for line in told.splitlines()]
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


DOCUMENTED = re.compile(r"python -m ((?:\w+\.)*\w+)([^`|;\n]*)")
"""A command of ours anywhere on a page: its module, and what follows it."""


def documented() -> list[tuple[str, str, str]]:
    """Page, module and the rest of every command that a page shows or speaks of, run or not."""
    pages = [*PAGES, *sorted((ROOT / "instances").glob("*/README.md"))]
    return [
        (page.relative_to(ROOT).as_posix(), module, rest)
        for page in pages
        for module, rest in DOCUMENTED.findall(page.read_text(encoding="utf-8"))
        if (ROOT / module.partition(".")[0]).is_dir()
    ]


def options_of(module: str, rest: str) -> set[str]:
    """The options that a module's command takes; of several commands, the one that is named."""
    main = f"{module}.__main__"
    loaded = import_module(main if hasattr(import_module(module), "__path__") else module)
    commands = getattr(loaded, "COMMANDS", None) or (loaded.main,)
    named = [one for one in commands if one.__name__ == (rest.split() or [""])[0]] or commands
    return {
        option
        for one in named
        for parameter in _with_other_names(_app(one)).params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }


def test_commands_that_are_not_run_have_only_options_that_there_are():
    """Long jobs are shown, not run: a renamed module or option must not live on there."""
    shown = documented()
    assert len(shown) >= 100
    for page, module, rest in shown:
        for option in re.findall(r"(?<!\S)(--[a-z][\w-]*)", rest):
            known = options_of(module, rest)
            assert option in known | {"--help", "--version"}, f"{page}: python -m {module} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_hides_in_an_indented_block(page):
    """A fence says whether a block is run (console, python) or not (text, sh)."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    assert not re.findall(r"^    (?:\$ )?(?:python|make) .*$", text, re.MULTILINE)


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(\w+)$", "".join(TOCTREE.findall(index)), re.MULTILINE)
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    assert sorted(listed) == sorted(pages)
