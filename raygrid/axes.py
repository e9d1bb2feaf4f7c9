"""The axes of a grid, by name: the one list that the grid file, keys, tables and figures agree on."""

# What a message, a table and --only call each axis, in the order in which tables show them.
AXES = ("dataset", "ir", "fold", "representation", "classifier", "resampler")

# The axes that together are a method: what a user chooses, where the others are what it is tried on.
METHOD_AXES = ("representation", "classifier", "resampler")
