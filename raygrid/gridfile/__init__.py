"""The grid file: its schema, and what is wrong with one."""
