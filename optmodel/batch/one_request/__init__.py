"""Place one request on what a batch leaves of the budgets."""
