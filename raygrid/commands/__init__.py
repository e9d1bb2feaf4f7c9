"""The commands (verbs) of the command line, one file each."""
