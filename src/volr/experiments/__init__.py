"""Tasks, data, runs and results."""
