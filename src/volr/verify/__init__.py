"""Proof that a back end runs the same network, and where it parts where it does not."""

from volr.verify.comparison import Difference, compare
from volr.verify.verification import Verification, verify

__all__ = ["Difference", "Verification", "compare", "verify"]
