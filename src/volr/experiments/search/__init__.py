"""Which settings are best? Trials in batches, each measured on more and more validation samples.

    space       what may be varied, as the command line says it
    proposals   what is tried next: Optuna
    rungs       how much a trial is measured on before it has shown what it can do
    trials      a search: batch by batch, rung by rung
    files       what it leaves behind

A search remembers nothing but the runs in its folder. Asked again, it makes the same proposals
from the same results, finds the runs that it has, and so arrives where it was cut short.
"""
