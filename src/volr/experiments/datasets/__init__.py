"""Where the tasks' numbers come from: one file per data set, and the reading of files."""
