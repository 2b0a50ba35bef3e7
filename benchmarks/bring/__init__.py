"""For `own_network.py`: a network of a user's, and what the user writes to convert it."""
