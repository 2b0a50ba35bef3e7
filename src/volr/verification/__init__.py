"""Proof that a back end runs the same network, or the first difference if it does not."""

from volr.verification.comparison import compare
from volr.verification.differences import Comparison, Difference, Tally
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
