"""The spiking engine: Volr's own simulator, in the discretisation of the target simulators."""
