"""The checker finds whatever is broken in random placements and mutated documents."""

from collections import Counter

import reference
from assigned import document_of
from documents import equations, with_requests
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from strategies import admissible_assignments, assignments, examples, instances

from optmodel.checker import check
from optmodel.placement.solution import PlacedLayer, PlacementDocument
from optmodel.problem.instance import Instance


@examples(100)
@given(instances(), st.data())
def test_the_checker_reports_what_the_reference_finds_broken(made: Instance, data: st.DataObject):
    assignment = data.draw(assignments(made))
    report = check(made, document_of(made, assignment))
    assert equations(report) == reference.broken(made, assignment)
    assert report.layer_latency_s == reference.latencies(made, assignment)


def test_a_random_feasible_placement_passes_with_the_reference_s_latency():
    seen: Counter[bool] = Counter()

    @examples(100)
    @given(instances(), st.data())
    def passes(made: Instance, data: st.DataObject) -> None:
        assignment = data.draw(admissible_assignments(made))
        if assignment is None:
            return
        report = check(made, document_of(made, assignment))
        feasible = not reference.broken(made, assignment)
        assert report.passed == feasible
        assert report.objective_s == reference.latency(made, assignment)
        seen[feasible] += 1

    passes()
    assert seen[True] >= 30
    assert seen[False] >= 10


def test_an_optimum_of_brute_force_passes_with_its_latency():
    seen: Counter[bool] = Counter()

    @examples(75)
    @given(instances())
    def passes(made: Instance) -> None:
        best = reference.best(made)
        seen[best is not None] += 1
        if best is not None:
            report = check(made, document_of(made, best.assignment))
            assert report.passed, report.violations
            assert report.objective_s == best.latency_s

    passes()
    assert seen[True] >= 35


@st.composite
def mutated(draw: DrawFn, document: PlacementDocument) -> PlacementDocument:
    """Draw one change of a document that makes it no placement, whatever the instance."""
    index = draw(st.integers(0, len(document.requests) - 1))
    request = document.requests[index]
    kind = draw(st.sampled_from(("drop", "repeat", "swap", "number", "rename", "request")))
    if kind == "request":
        kept = [r for r in document.requests if r is not request]
        extra = draw(st.sampled_from(([], [request, request])))
        return with_requests(document, *kept, *extra)
    at = draw(st.integers(0, len(request.layers) - 1))
    layers = list(request.layers)
    if kind == "drop":
        del layers[at]
    elif kind == "repeat":
        layers.insert(at, layers[at])
    elif kind == "swap":
        layers.append(layers.pop(0))
        layers += layers[:1] if len(layers) == 1 else []
    elif kind == "number":
        layers[at] = draw(_miscounted(layers[at]))
    else:
        node = draw(st.sampled_from(sorted(layers[at].segments)))
        segments = dict(layers[at].segments)
        segments["ghost"] = segments.pop(node)
        layers[at] = layers[at].model_copy(update={"segments": segments})
    changed = request.model_copy(update={"layers": tuple(layers)})
    return with_requests(
        document, *document.requests[:index], changed, *document.requests[index + 1 :]
    )


@st.composite
def _miscounted(draw: DrawFn, layer: PlacedLayer) -> PlacedLayer:
    """Draw another number for one count or flow of a layer."""
    by = draw(st.sampled_from((-1, 1, 0.5, 1e-9)))
    if layer.flows and draw(st.booleans()):
        k = draw(st.integers(0, len(layer.flows) - 1))
        moved = list(layer.flows)
        moved[k] = moved[k].model_copy(update={"maps": moved[k].maps + by})
        return layer.model_copy(update={"flows": tuple(moved)})
    node = draw(st.sampled_from(sorted(layer.segments)))
    segments = layer.segments | {node: layer.segments[node] + by}
    return layer.model_copy(update={"segments": segments})


@examples(125)
@given(instances(), st.data())
def test_no_mutation_of_a_document_goes_unnoticed(made: Instance, data: st.DataObject):
    assignment = data.draw(admissible_assignments(made))
    if assignment is not None:
        document = document_of(made, assignment)
        changed = data.draw(mutated(document))
        assert "8e" in equations(check(made, changed))


def test_moving_one_segment_is_feasible_or_reported():
    seen: Counter[bool] = Counter()

    @examples(125)
    @given(instances(), st.data())
    def noticed(made: Instance, data: st.DataObject) -> None:
        best = reference.best(made)
        if best is None:
            return
        moved = data.draw(_one_moved(made, best.assignment))
        report = check(made, document_of(made, moved))
        assert equations(report) == reference.broken(made, moved)
        assert not report.passed or report.objective_s >= best.latency_s
        seen[report.passed] += 1

    noticed()
    assert min(seen[True], seen[False]) >= 8


@st.composite
def _one_moved(
    draw: DrawFn, made: Instance, assignment: reference.Assignment
) -> dict[str, reference.Plan]:
    """Draw another node for one segment."""
    name = draw(st.sampled_from(sorted(assignment)))
    plan = [list(vector) for vector in assignment[name]]
    vector = draw(st.sampled_from(plan))
    vector[draw(st.integers(0, len(vector) - 1))] = draw(st.sampled_from(made.nodes)).id
    return {**assignment, name: tuple(tuple(at) for at in plan)}
