"""Repairs of the text at a token that does not fit."""
