"""The folder of an experiment: its plan, and finished runs with their models."""
