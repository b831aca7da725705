"""Prices on the budgets, and the lower bound on a batch that they give."""
