"""What Volr takes from the machine: files, folders, memory, cores, other people's programs."""
