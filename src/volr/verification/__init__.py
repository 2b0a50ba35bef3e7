"""Proof that a back end runs the same network, and where it parts where it does not."""

from volr.verification.comparison import Comparison, Difference, Tally, compare
from volr.verification.verify import Unverified, Verification, verify, verify_all

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
