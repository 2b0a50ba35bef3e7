"""Proof that a back end runs the same network, and where it parts where it does not."""

from volr.verify.comparison import Comparison, Difference, Tally, compare
from volr.verify.verification import Unverified, Verification, verify, verify_all

__all__ = [
    "Comparison",
    "Difference",
    "Tally",
    "Unverified",
    "Verification",
    "compare",
    "verify",
    "verify_all",
]
