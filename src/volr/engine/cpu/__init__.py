"""The engine on the processor: kernels for Numba, and who runs them."""
