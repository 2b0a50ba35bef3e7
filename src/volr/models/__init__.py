"""The models: networks with parameters, activations or neurons, and codings."""
