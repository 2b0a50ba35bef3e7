"""What a model costs: spikes, operations, time steps, and an estimate of energy.

    counting    how often values are sent, and through how many synapses
    decisions   from which step on the decision stays
    fixed       what no stimulus changes: weights of 0, bytes
    figures     what an operation takes
    result      the numbers
    measure     runs a model and counts

The definitions are those of NeuroBench: J. Yik et al., "The NeuroBench framework for benchmarking
neuromorphic computing algorithms and systems", Nature Communications 16, 1545 (2025), and its code.
"""
