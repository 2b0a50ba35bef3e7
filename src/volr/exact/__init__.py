"""The transfer that loses nothing: from a staircase to first spikes and back, and its proof."""
