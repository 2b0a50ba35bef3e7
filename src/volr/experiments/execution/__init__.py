"""Where runs are made: in this process, in local ones, or on a cluster.

    Execution  ::=  Here | Local | Cluster

All three do the same to a ``Job``: ``volr.experiments.execution.job.carry_out``. What goes to
another process and comes back is JSON and the bytes of model files, so a process that is killed
takes nothing with it but the job that it had in hand.
"""
