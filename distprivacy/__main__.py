"""`distprivacy COMMAND ...`: every command of the rooms by one name, loaded when it is called."""

import sys

from optmodel.ground.entry import show, start

COMMANDS = {
    "solve": ("optmodel.__main__", "find the placement of least latency"),
    "check": ("optmodel.check", "recompute a solution in exact arithmetic"),
    "explain": ("optmodel.explain.__main__", "say why there is no placement"),
    "place": ("heuristics.__main__", "place without a solver"),
    "serve": ("heuristics.__main__", "place requests as they come"),
    "generate": ("instances.generate", "make an instance"),
    "sets": ("instances.sets", "write a shipped set of instances"),
    "attack": ("attack.__main__", "measure what shares of feature maps give away"),
    "gap": ("benchmarks.gap.__main__", "compare policies with the optimum"),
    "best-known": ("benchmarks.best_known.__main__", "keep the best known solutions"),
    "runtime": ("benchmarks.runtime.__main__", "measure what proving an optimum takes"),
    "ablation": ("benchmarks.ablation.__main__", "leave out parts of the engine for batches"),
    "policies": ("benchmarks.policies", "measure how fast and well policies decide"),
    "traffic": ("benchmarks.traffic", "measure the scheduler under a day's traffic"),
    "tradeoffs": ("benchmarks.tradeoffs.__main__", "compute what a promise of privacy costs"),
    "simulate": ("benchmarks.simulate.__main__", "simulate one setting of the evaluation"),
    "figures": ("benchmarks.figures", "rebuild the paper's Figure 3"),
    "claims": ("benchmarks.claims", "judge the paper's sentences by finished runs"),
    "sensitivity": ("benchmarks.sensitivity", "choose otherwise what the paper leaves open"),
    "report": ("benchmarks.report.__main__", "show gaps, figures and placements on one page"),
}
"""Module of each command, and what it does."""
OF_SEVERAL = ("place", "serve")
"""Commands of a module that has several."""


def usage() -> str:
    """Return what the command says of itself."""
    wide = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{wide}}  {does}" for name, (_, does) in COMMANDS.items())
    return (
        f"Usage: distprivacy COMMAND [ARGS]...\n\nCommands:\n{lines}\n\n"
        "distprivacy COMMAND -h shows the options; distprivacy --version the version."
    )


def main() -> None:
    """Run the command that the first argument names, on the others."""
    name, *arguments = sys.argv[1:] or ["-h"]
    if name in ("-h", "--help"):
        show(usage())
    elif name == "--version":
        start(__name__)
    elif name not in COMMANDS:
        print(f"Error: expected one of {', '.join(COMMANDS)}, got {name!r}", file=sys.stderr)
        sys.exit(2)
    else:
        module, _ = COMMANDS[name]
        sys.argv[1:] = [name, *arguments] if name in OF_SEVERAL else arguments
        start(module, "distprivacy" if name in OF_SEVERAL else f"distprivacy {name}")


if __name__ == "__main__":
    main()
