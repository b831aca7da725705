"""`python -m benchmarks.report`, opened and clicked in a real browser."""

import json
import re
import shutil

import pytest
import runs
from browser import console_of, open_browser, requests_of, visit
from commands import output_of, refusal_of, run
from places import DOCS, SMALL, copied
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from benchmarks.common.command import Faults
from benchmarks.gap.comparison import Comparison
from benchmarks.report.__main__ import stored_solutions
from benchmarks.report.report_page import read_figures, report_page
from optmodel.ground.rule_errors import InputError

NAMES = (
    "cifar_block1-0.4-8-mixed",
    "infeasible-camera",
    "infeasible-compute",
    "lenet-0.6-x2-bandwidth-tight",
    "lenet-0.8-4-mixed",
)
EVIL = "<script>window.hacked = 1</script>"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0H9V9Z"/></svg>'


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A report on five instances with two figures, one of them named by an attacker."""
    made = tmp_path_factory.mktemp("report")
    (made / "figures").mkdir()
    shutil.copy(DOCS / "gap.png", made / "figures")
    (made / "figures" / "a <b onclick=x>.svg").write_text(SVG)
    out = made / "report.html"
    arguments = ("--instances", copied(made / "set", *NAMES), "--figures", made / "figures")
    shown = output_of("benchmarks.report", *arguments, "--out", out)
    assert "5 instances: 3 optimal, 2 proven infeasible, 0 open" in shown
    assert "5 instances, 5 stored solutions, 2 figures; 0." in shown
    return out


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture
def opened(browser, page):
    """The report, just opened; in the end it must have logged and asked for nothing."""
    visit(browser, page)
    yield browser
    assert console_of(browser) == []
    assert {url.partition("#")[0] for url in requests_of(browser)} <= {page.as_uri()}


def column(browser: webdriver.Chrome, title: str) -> list[str]:
    """The visible cells of a column, from the top."""
    heads = [head.text for head in browser.find_elements(By.CSS_SELECTOR, "#gap-table thead th")]
    at = next(k for k, head in enumerate(heads) if head.startswith(title)) + 1
    cells = browser.find_elements(By.CSS_SELECTOR, f"#gap-table tbody tr > :nth-child({at})")
    return [cell.text for cell in cells if cell.is_displayed()]


def head(browser: webdriver.Chrome, title: str):
    return browser.find_element(By.XPATH, f"//table[@id='gap-table']//th[button[.='{title}']]")


def test_all_instances_are_shown_by_name_with_what_the_records_say(opened):
    assert column(opened, "instance") == list(NAMES)
    assert column(opened, "proven") == ["optimal", "0/1", "3/4", "optimal", "optimal"]
    assert column(opened, "best ms")[-1] == "1.217059"
    assert column(opened, "algorithm1")[-2:] == ["1/2", "33.88"]


def test_a_click_on_a_title_sorts_and_another_one_turns_the_order(opened):
    """Numbers as numbers; who serves fewer, or nothing, comes last both ways."""
    title = head(opened, "algorithm1 %")
    assert title.get_attribute("aria-sort") == "none"
    title.find_element(By.TAG_NAME, "button").click()
    assert title.get_attribute("aria-sort") == "ascending"
    assert column(opened, "algorithm1") == ["0.00", "0.00", "33.88", "-", "1/2"]
    title.find_element(By.TAG_NAME, "button").click()
    assert title.get_attribute("aria-sort") == "descending"
    assert column(opened, "algorithm1")[0] == "33.88"
    assert set(column(opened, "algorithm1")[3:]) == {"-", "1/2"}
    sorted_by = opened.find_elements(By.CSS_SELECTOR, "th[aria-sort$=ending]")
    assert sorted_by == [title]


def test_numbers_are_sorted_by_their_size_from_the_keyboard(opened):
    """As texts 7.850873 would come after 170.559057."""
    button = head(opened, "best ms").find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    latencies = column(opened, "best ms")
    assert latencies == ["1.217059", "4.776236", "7.850873", "170.559057", "-"]
    button.send_keys(Keys.SPACE)
    assert column(opened, "best ms") == [*latencies[3::-1], "-"]


def test_the_filter_leaves_rows_that_have_every_word_and_counts_them(opened):
    box = opened.find_element(By.ID, "filter")
    count = opened.find_element(By.ID, "shown")
    assert count.text == "5 of 5 instances"
    box.send_keys("LENET optimal")
    assert column(opened, "instance") == ["lenet-0.6-x2-bandwidth-tight", "lenet-0.8-4-mixed"]
    assert count.text == "2 of 5 instances"
    box.send_keys(" none")
    assert column(opened, "instance") == []
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    assert len(column(opened, "instance")) == 5


def unpacked(browser: webdriver.Chrome, name: str) -> str:
    """Wait until a placement is shown, and return its text."""
    article = browser.find_element(By.ID, "solution")
    WebDriverWait(browser, 20).until(lambda _: article.text.startswith(name))
    return article.text


def test_a_placement_is_chosen_from_the_list_and_drawn(opened):
    choice = Select(opened.find_element(By.ID, "choice"))
    assert [option.text for option in choice.options[1:]] == [
        f"{name}: {'infeasible' if name.startswith('infeasible') else 'optimal'}" for name in NAMES
    ]
    choice.select_by_visible_text("lenet-0.8-4-mixed: optimal")
    text = unpacked(opened, "lenet-0.8-4-mixed")
    assert "Request r1: 1.217059 ms" in text
    counts = opened.find_elements(By.CSS_SELECTOR, "#solution .layers .cell > text")
    assert [cell.text for cell in counts][:4] == ["1", "3", "2", "3"]
    choice.select_by_visible_text("infeasible-camera: infeasible")
    assert "Why there is no placement" in unpacked(opened, "infeasible-camera")
    assert not opened.find_elements(By.CSS_SELECTOR, "#solution .layers")
    choice.select_by_index(0)
    assert opened.find_element(By.ID, "solution").text == ""


def test_the_name_of_an_instance_leads_to_its_placement(opened):
    opened.find_element(By.LINK_TEXT, "lenet-0.6-x2-bandwidth-tight").click()
    text = unpacked(opened, "lenet-0.6-x2-bandwidth-tight")
    assert text.count("Request r") == 2
    chosen = Select(opened.find_element(By.ID, "choice")).first_selected_option
    assert chosen.text.startswith("lenet-0.6-x2-bandwidth-tight")


def test_figures_are_drawn_and_their_names_are_text(opened):
    captions = opened.find_elements(By.CSS_SELECTOR, "figure > img + figcaption")
    assert [caption.text for caption in captions] == ["a <b onclick=x>.svg", "gap.png"]
    for image in opened.find_elements(By.TAG_NAME, "img"):
        opened.execute_script("arguments[0].scrollIntoView()", image)
        WebDriverWait(opened, 20).until(lambda _, i=image: i.get_property("complete"))
        assert image.get_property("naturalWidth") > 0


def test_the_policy_allows_nothing_from_elsewhere(page):
    text = page.read_text(encoding="utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    assert policy.startswith("default-src &#39;none&#39;; style-src &#39;sha256-")
    assert "unsafe-inline" not in policy
    assert "img-src data:;" in policy


def test_the_browser_tells_of_requests_and_errors_so_that_their_absence_means_something(
    browser, tmp_path
):
    page = tmp_path / "bad.html"
    page.write_text('<img src="missing.png"><script>throw new Error("oops")</script>')
    visit(browser, page)
    assert any("oops" in line for line in console_of(browser))
    assert (tmp_path / "missing.png").as_uri() in requests_of(browser)


def many(rows: int) -> list[Comparison]:
    records = [runs.record(instance=f"i-{n * 7919 % rows}", objective_s=1 + n) for n in range(rows)]
    return [Comparison(record, ()) for record in records]


def test_ten_thousand_rows_are_sorted_and_filtered_in_a_few_seconds(browser, tmp_path):
    """Where each step takes about half a second on an idle core."""
    out = tmp_path / "large.html"
    out.write_text(report_page("large", many(10_000), (), {}, Faults()), encoding="utf-8")
    assert out.stat().st_size < 3_000_000
    visit(browser, out)
    WebDriverWait(browser, 20).until(lambda _: browser.find_element(By.ID, "shown").text)
    took = browser.execute_script("""
        const begin = performance.now();
        document.querySelector("th button").click();
        const filter = document.getElementById("filter");
        filter.value = "i-77";
        filter.dispatchEvent(new Event("input"));
        document.body.offsetHeight;
        return performance.now() - begin;
    """)
    assert took < 10_000
    first = browser.find_element(By.CSS_SELECTOR, "#gap-table tbody tr:not([hidden])")
    assert first.text.startswith("i-77 ")
    assert browser.find_element(By.ID, "shown").text == "111 of 10000 instances"


def test_names_with_markup_are_text_in_table_list_and_placement(browser, tmp_path):
    folder, out = copied(tmp_path / "set", "lenet-0.8-4-mixed"), tmp_path / "report.html"
    file = folder / "lenet-0.8-4-mixed.json"
    text = file.read_text(encoding="utf-8").replace("lenet-0.8-4-mixed", f"x{EVIL}")
    file.write_text(text.replace("rpi3-1", f"y{EVIL}"), encoding="utf-8")
    solution = folder / "lenet-0.8-4-mixed.solution.json"
    output_of("optmodel", file, "--out", solution)
    output_of("benchmarks.report", "--instances", file, "--out", out)
    visit(browser, out)
    assert column(browser, "instance") == [f"x{EVIL}"]
    Select(browser.find_element(By.ID, "choice")).select_by_visible_text(f"x{EVIL}: optimal")
    assert f"y{EVIL}: 3" in unpacked(browser, f"x{EVIL}")
    assert browser.execute_script("return window.hacked") is None
    assert browser.find_elements(By.CSS_SELECTOR, "#solution script") == []
    assert console_of(browser) == []


def test_records_of_the_gap_benchmark_are_taken_up(tmp_path):
    folder, csv = copied(tmp_path / "set", "lenet-0.8-4-mixed"), tmp_path / "gap.csv"
    policies = ("--policies", "algorithm1,layerwise")
    arguments = ("--instances", folder, *policies)
    assert run("benchmarks.gap", *arguments, "--out", csv).returncode == 0
    before = csv.read_text()
    out = tmp_path / "report.html"
    output_of("benchmarks.report", *arguments, "--records", csv, "--out", out)
    assert csv.read_text() == before
    assert "layerwise %" in out.read_text(encoding="utf-8")
    assert "lookahead" not in out.read_text(encoding="utf-8")


def test_one_bad_instance_and_one_stale_solution_are_told_and_the_rest_is_shown(tmp_path):
    folder = copied(tmp_path / "set", "lenet-0.8-4-mixed", "lenet-0.4-3-mixed")
    out = tmp_path / "r.html"
    (folder / "broken.json").write_text('{"schema_version": 1}')
    (folder / "broken.solution.json").write_text("{}")
    stale = folder / "lenet-0.4-3-mixed.solution.json"
    shutil.copy(folder / "lenet-0.8-4-mixed.solution.json", stale)
    told = refusal_of("benchmarks.report", "--instances", folder, "--out", out)
    assert told.count("broken.json: name: expected a value, got nothing") == 1
    assert f"{stale}: instance_sha256: expected the digest of lenet-0.4-3-mixed.json" in told
    page = out.read_text(encoding="utf-8")
    assert "Left out or wrong" in page
    assert page.count('<script type="text/plain"') == 1


def test_a_stored_placement_that_the_checker_refuses_exits_1_and_is_shown_as_refused(tmp_path):
    folder = copied(tmp_path / "set", "lenet-0.8-4-mixed")
    file = folder / "lenet-0.8-4-mixed.solution.json"
    solution = json.loads(file.read_text(encoding="utf-8"))
    solution["placement"]["requests"][0]["layers"][1]["segments"] = {"rpi3-1": 8}
    file.write_text(json.dumps(solution), encoding="utf-8")
    out = tmp_path / "report.html"
    done = run("benchmarks.report", "--instances", folder, "--out", out)
    assert done.returncode == 1
    assert f"{file}: (8f) request 'r1', layer 'relu1', node 'rpi3-1'" in done.stderr
    assert "Left out or wrong" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--out", "report.txt"), "--out: expected a name ending in .html, got 'report.txt'"),
        (("--out", "/proc/x.html"), "/proc/x.html: expected a file name in a writable folder"),
        (("--out", "OUT", "--method", "magic"), "--method: expected one of"),
        (("--out", "OUT", "--policies", "best"), "--policies: expected one of lookahead"),
        (("--out", "OUT", "--records", "gap.txt"), "--records: expected a name ending in .csv"),
        (("--out", "OUT", "--figures", "SET"), "--figures: expected a folder with PNG or SVG"),
        (("--out", "OUT", "--instances", "none"), "--instances: expected a folder with instance"),
    ],
)
def test_bad_options_exit_2_and_nothing_is_written(options, why, tmp_path):
    out = tmp_path / "report.html"
    names = {"OUT": out, "SET": copied(tmp_path / "set", "lenet-0.8-4-mixed")}
    given = [str(names.get(option, option)) for option in options]
    assert why in refusal_of("benchmarks.report", "--instances", names["SET"], *given)
    assert not out.exists()


def test_without_options_the_small_set_becomes_report_html(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "instances").mkdir()
    copied(tmp_path / "instances" / "small", "lenet-0.8-4-mixed")
    output_of("benchmarks.report")
    assert "lenet-0.8-4-mixed" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_no_usable_instance_leaves_an_older_page_alone(tmp_path):
    (tmp_path / "bad.json").write_text('{"a": 1}')
    out = tmp_path / "page.html"
    out.write_text("the older page")
    told = refusal_of("benchmarks.report", "--instances", tmp_path / "bad.json", "--out", out)
    assert "bad.json" in told
    assert out.read_text() == "the older page"


def test_a_figure_that_is_none_is_refused(tmp_path):
    (tmp_path / "gap.png").write_text("no picture")
    with pytest.raises(InputError, match=r"gap.png: expected image/png, got other content"):
        read_figures("--figures", tmp_path)


def test_every_solution_of_the_small_set_is_drawn_in_less_than_a_megabyte():
    """What a page of the whole set holds of them."""
    faults = Faults()
    files = [file for file in SMALL.glob("*.json") if not file.name.endswith(".solution.json")]
    stored = stored_solutions(files, faults)
    assert len(stored) == len(files)
    assert faults.unusable == faults.wrong == []
    assert sum(len(one.packed) for one in stored.values()) < 1_000_000
