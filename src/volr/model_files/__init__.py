"""Models as files: the program of the network, the parameters, and the origin."""
