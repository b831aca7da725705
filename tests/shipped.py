"""Which of the shipped sets have their solution files."""

UNSOLVED: tuple[str, ...] = ()
"""Sets whose solution files are still to come: they must have none, and are not tested for them."""
