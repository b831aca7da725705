"""The panels of the paper's Figure 3: which settings they compare, their runs, tables, pictures."""
