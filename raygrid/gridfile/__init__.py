"""The grid file: its schema, and the messages about its faults."""
