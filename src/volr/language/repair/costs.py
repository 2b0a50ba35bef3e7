"""The costs of changes.

A change that undoes a likely slip costs less: look-alike characters, words of other languages, a
letter too many. Only the order of the sums matters, so all costs stand together here.
"""

from __future__ import annotations

from volr.language.tokens import HOLE

INSERTED = {
    ("CLOSE",): 1.0,
    ("IN",): 1.0,
    ("EQUAL",): 1.0,
    ("THEN",): 1.0,
    ("BESIDE",): 1.02,
    ("LET",): 1.05,
    ("NAME",): 1.05,
    (HOLE,): 1.1,
    ("IN", HOLE): 1.2,
    ("OPEN",): 1.5,
    ("CLOSE_SHAPE",): 1.0,
    ("OPEN_SHAPE",): 1.15,
    (HOLE, HOLE): 1.6,
    ("THEN", HOLE, "THEN"): 1.6,
}
"""The kinds of tokens that may be put in."""
DELETED = 1.2
REPLACED = 1.7
RENAMED = 1.2
"""A name that is put in the place of something else."""
BY_HOLE = 1.9
"""A hole that is put in the place of something else."""
SWAPPED = 1.15
UNREADABLE_DELETED = 0.9
UNREADABLE_REPLACED = 1.0
EACH_MORE = 0.05
"""What is added for each token of a run."""
FARTHER = 0.01
"""What is added for each token between the change and the token that does not fit."""

# Characters read in another way.
LOOK_ALIKE = 0.2
SLIP = 0.4
JOINED = 0.5
SPLIT = 0.6
MISTYPED = 0.9

# Whole constructs.
BRACKETS = 0.3
COMMAS = 0.6
COMMENT = 0.7
PARENTHESES = 0.9
CALL = 1.4
FOREIGN_CALL = 0.5
"""The call of a layer or an activation in the spelling of another framework."""
