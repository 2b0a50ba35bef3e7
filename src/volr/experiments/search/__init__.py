"""Which settings are best? Trials in batches, each measured on more and more validation samples.

    space       what is varied, in the form of the command line
    variation   settings and program with other values
    proposals   what is tried next: Optuna
    rungs       the numbers of samples that trials are measured on
    trial       one set of values, and its scores
    trials      a search: batch by batch, rung by rung
    store       the files of a search

The only state of a search is the runs in its folder. The same command makes the same proposals from
the same results and finds the finished runs. So it continues where it was interrupted.
"""
