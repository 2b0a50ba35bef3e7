"""The folder of an experiment: what was asked for, and finished runs with their models."""
