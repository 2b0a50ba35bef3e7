"""What is given is checked, and an error names what is wrong."""
