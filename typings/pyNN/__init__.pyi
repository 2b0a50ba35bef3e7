"""What Volr uses of PyNN; it ships no types. Its simulators' modules are imported by name."""
