"""What ``benchmarks/spiking.py`` is made of: engines behind one interface, and what is measured."""
