"""`--report`: one page for one solution, which shows all that is known and runs nothing else's."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from browser import console_of, open_browser, requests_of, visit
from commands import output_of, refusal_of, run
from places import INSTANCES, SMALL
from selenium.webdriver.common.by import By

from optmodel.page import solution_page, view_solution
from optmodel.page.placement_picture import CELL_HEIGHT, COLUMN, ROW
from optmodel.page.solution_view import BudgetUse
from optmodel.placement.solution import Solution, read_solution
from optmodel.problem.instance import Instance, read_instance
from optmodel.search.options import SolverOptions
from optmodel.solving import solve

EVIL = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def stored(name: str, folder: Path = SMALL) -> tuple[Instance, Solution]:
    solution = read_solution(folder / f"{name}.solution.json")
    return read_instance(folder / f"{name}.json"), solution


class Text(HTMLParser):
    """The text of a page, and the tags in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def shown(name: str, folder: Path = SMALL) -> Text:
    return Text(solution_page(view_solution(*stored(name, folder))))


def test_the_command_writes_the_page_and_says_so(tmp_path):
    out = tmp_path / "page.html"
    told = output_of("optmodel", SMALL / "lenet-0.8-4-mixed.json", "--report", out)
    assert f"report       written to {out}" in told
    text = Text(out.read_text(encoding="utf-8")).text
    for fact in (
        "status optimal (converged)",
        "optimum 1.217059 ms",
        "bound 1.217059 ms",
        "gap 0.0000 %",
        "served 1 of 1 requests; checked exactly",
    ):
        assert fact in text
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_each_layer_has_its_latency_limit_holders_and_bits():
    """Latencies as in the README; conv1 sends one map of 24 x 24 words to 8 segments."""
    text = shown("lenet-0.8-4-mixed").text
    assert "conv1 0.205714 1 source only camera-1: 1 147,456" in text
    assert "relu1 0.765873 8 Nf = 4" in text
    assert "fc1 0.040474 8 one node" in text


def test_what_each_node_uses_is_what_the_layers_add_up_to():
    instance, solution = stored("lenet-0.8-4-mixed")
    view = view_solution(instance, solution)
    assert view.nodes[0].id == "camera-1"
    assert len(view.nodes) == len(instance.nodes)
    sent = sum(layer.sent_bits for layer in view.requests[0].layers)
    assert sum(node.bandwidth.used for node in view.nodes) == sent > 0
    work = sum(
        layer.multiplications_per_segment * layer.input_maps
        for layer in instance.networks[0].layers
    )
    assert sum(node.compute.used for node in view.nodes) == work
    camera = view.nodes[0]
    assert camera.bandwidth.budget == instance.sources[0].bandwidth_budget_bits
    assert sum(layer.share for layer in view.requests[0].layers) == pytest.approx(1)


def test_nothing_used_of_nothing_is_no_division():
    assert BudgetUse(0, 0.0).share == 0
    assert BudgetUse(1, 4.0).share == 0.25


@pytest.mark.parametrize(
    ("name", "folder"), [("lenet-0.8-4-mixed", SMALL), ("vgg19-0.6-70-30-70", INSTANCES / "paper")]
)
def test_the_picture_has_a_cell_per_holder_and_a_line_per_transfer(name, folder):
    instance, solution = stored(name, folder)
    picture = view_solution(instance, solution).requests[0].picture
    layers = solution.placement.requests[0].layers
    assert len(picture.cells) == sum(len(layer.segments) for layer in layers)
    assert sum(cell.count for cell in picture.cells) == sum(
        layer.input_maps for layer in instance.networks[0].layers
    )
    used = {node for layer in layers for node in layer.segments}
    assert len(picture.rows) == len(used)
    assert picture.idle == len(instance.nodes) - len(used)
    assert picture.rows[0].source
    assert not any(row.source for row in picture.rows[1:])
    flows = sum(len(layer.flows or ()) for layer in layers)
    others = 0
    for layer, following in pairwise(layers):
        ends = set(layer.segments) | set(following.segments)
        alone = len(ends) == 1
        others += 0 if layer.flows else 1 if alone else len(layer.segments)
        others += 0 if layer.flows or alone else len(following.segments) + 1
    assert len(picture.lines) == flows + others


def test_cells_of_the_picture_do_not_overlap_and_stay_inside():
    picture = view_solution(*stored("cifar_cnn-0.4-10-mixed", INSTANCES / "medium")).requests[0]
    cells = [(cell.x, cell.y) for cell in picture.picture.cells]
    assert len(set(cells)) == len(cells)
    assert {x % COLUMN for x, _ in cells} == {COLUMN // 2}
    assert CELL_HEIGHT < ROW
    assert max(y for _, y in cells) + CELL_HEIGHT // 2 <= picture.picture.height
    assert max(x for x, _ in cells) < picture.picture.width


def test_caps_maps_at_risk_and_the_split_point_are_marked():
    """LeNet at 0.8: the output of relu1 and pool1 is at risk, so SP is 3 and Nf 4."""
    picture = view_solution(*stored("lenet-0.8-4-mixed")).requests[0].picture
    caps = {column.name: column.cap for column in picture.columns if column.cap is not None}
    assert caps == {"relu1": 4, "pool1": 4, "conv2": 4}
    assert picture.split == 3 * COLUMN


def test_pointing_at_cells_and_lines_tells_bits():
    page = solution_page(view_solution(*stored("lenet-0.8-4-mixed")))
    titles = re.findall(r"<title>(.*?)</title>", page)
    assert "conv1: camera-1 sends 147,456 bits to 3 nodes" in titles
    assert "conv1 on camera-1: 1 of 1 segments, receives 0 bits, sends 147,456 bits" in titles
    assert any(re.fullmatch(r"pool2: \S+ to nexus-1: 3 maps, 1,536 bits", t) for t in titles)


def test_an_infeasible_instance_says_why_and_has_no_picture(tmp_path):
    out = tmp_path / "page.html"
    output_of("optmodel", SMALL / "infeasible-memory.json", "--report", out)
    page = Text(out.read_text(encoding="utf-8"))
    assert "Why there is no placement" in page.text
    assert "needs 61,440 bytes of memory on one device" in page.text
    assert "svg" not in page.tags
    assert "figure" not in page.tags


def test_an_infeasibility_that_only_the_solver_sees_is_told_as_such():
    assert "budgets clash between layers" in shown("infeasible-compute").text


def test_rejected_requests_are_named_beside_the_served_ones():
    instance = read_instance(SMALL / "infeasible-compute.json")
    view = view_solution(instance, solve(instance, options=SolverOptions(admission="most")))
    assert (len(view.requests), len(view.rejected)) == (3, 1)
    assert "the optimum leaves it out" in Text(solution_page(view)).text


def test_a_solution_that_the_checker_refuses_is_shown_with_every_violation_and_no_picture():
    instance, solution = stored("lenet-0.8-4-mixed")
    changed = solution.model_dump(mode="json")
    changed["placement"]["requests"][0]["layers"][1]["segments"] = {"nobody": 8}
    view = view_solution(instance, Solution.model_validate_json(json.dumps(changed)))
    page = Text(solution_page(view))
    assert "Refused by the checker" in page.text
    assert "node 'nobody'" in page.text
    assert "svg" not in page.tags


def marked(tmp_path: Path) -> Path:
    """An instance in which every name is HTML."""
    file = tmp_path / "marked.json"
    raw = json.loads((SMALL / "lenet-0.8-4-mixed.json").read_text(encoding="utf-8"))
    raw["name"] = raw["description"] = f"name {EVIL}"
    request, network = raw["requests"][0], raw["networks"][0]
    request["id"] = f"r {EVIL}"
    network["id"] = request["network"] = f"n {EVIL}"
    raw["sources"][0]["id"] = request["source"] = f"s {EVIL}"
    for node in (*raw["devices"], *raw["sources"]):
        node["family"] = f"f {EVIL}"
    for number, device in enumerate(raw["devices"]):
        device["id"] = f"{number} {EVIL}"
    for number, layer in enumerate(network["layers"]):
        layer["name"] = f"{number} {EVIL}"
    file.write_text(json.dumps(raw), encoding="utf-8")
    return file


def test_names_with_markup_are_text_and_nothing_runs(tmp_path):
    out = tmp_path / "page.html"
    assert run("optmodel", marked(tmp_path), "--report", out).returncode == 0
    page = Text(out.read_text(encoding="utf-8"))
    assert not {"script", "img"} & set(page.tags)
    assert page.text.count("window.hacked") > 20
    with open_browser() as browser:
        visit(browser, out)
        assert browser.execute_script("return window.hacked") is None
        assert browser.find_element(By.TAG_NAME, "h1").text == f"name {EVIL}"
        assert console_of(browser) == []


def test_the_page_shows_its_picture_in_a_browser_and_asks_for_nothing(tmp_path):
    out = tmp_path / "page.html"
    view = view_solution(*stored("vgg19-0.6-70-30-70", INSTANCES / "paper"))
    out.write_text(solution_page(view), encoding="utf-8")
    with open_browser() as browser:
        visit(browser, out)
        cells = browser.find_elements(By.CSS_SELECTOR, ".layers .cell")
        assert len(cells) == len(view.requests[0].picture.cells)
        width = browser.execute_script(
            "return [document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert width[0] <= width[1]
        background = browser.execute_script("return getComputedStyle(document.body).background")
        assert "rgb(252, 251, 249)" in background
        assert console_of(browser) == []
        assert requests_of(browser) == [out.as_uri()]


def test_the_same_solution_gives_the_same_page():
    first, second = (solution_page(view_solution(*stored("lenet-0.8-x3"))) for _ in range(2))
    assert first == second
    assert first.count('<details class="request"') == 3


def test_a_page_by_a_name_that_is_none_of_a_page_is_refused(tmp_path):
    told = refusal_of("optmodel", SMALL / "lenet-0.8-4-mixed.json", "--report", tmp_path / "x.pdf")
    assert "--report: expected a name ending in .html, got " in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [("--report", "FILE"), ("--report", "X", "--out", "X")])
def test_the_page_replaces_no_other_file_of_the_command(options, tmp_path):
    file = tmp_path / "own.html"
    content = (SMALL / "lenet-0.8-4-mixed.json").read_bytes()
    file.write_bytes(content)
    names = {"FILE": file, "X": tmp_path / "x.html"}
    told = refusal_of("optmodel", file, *(names.get(option, option) for option in options))
    assert "got the name of another file of this command" in told
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("path", ["/proc/x.html", "no/such/folder/x.html"])
def test_a_page_that_cannot_be_written_is_refused_before_solving(path):
    done = run("optmodel", SMALL / "lenet-0.8-4-mixed.json", "--report", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}: expected a file name in a writable folder" in done.stderr
