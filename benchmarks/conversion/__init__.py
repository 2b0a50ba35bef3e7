"""Converters from trained networks to spiking ones, on the same network and the same images."""
