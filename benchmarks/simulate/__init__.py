"""The paper's evaluation as a discrete-event simulation: requests, devices, time, what it costs.

`simulate` runs one setting; `python -m benchmarks.simulate` does so from the command line.
"""

from optmodel.ground.entry import loading

with loading("benchmarks.simulate"):
    from benchmarks.simulate.outcome import SimulationOutcome
    from benchmarks.simulate.run import simulate
    from benchmarks.simulate.setting import Setting

__all__ = ["Setting", "SimulationOutcome", "simulate"]
