"""Models as files: a network as its program, its numbers, and where they come from."""
