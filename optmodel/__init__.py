"""The placement problem and its exact solution.

`instance` reads a problem, `problem` turns it into arrays, `placement` says who computes what,
`evaluate` tells what that costs, `checker` verifies it in exact arithmetic, `solve` finds the
best placement.
"""
