"""Where runs are made: in this process, in local ones, or on a cluster.

    Execution  ::=  Here | Local | Cluster

All three do the same with a ``Job``: ``volr.experiments.execution.job.carry_out``. Only JSON and
the bytes of model files are sent to other processes and back. So if a process is killed, only its
current job is lost.
"""
