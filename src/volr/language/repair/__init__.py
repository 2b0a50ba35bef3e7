"""How to read on after a token that does not fit."""
