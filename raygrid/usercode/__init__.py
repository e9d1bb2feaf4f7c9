"""Code of the user's: how it is found, imported, and known by its source."""
