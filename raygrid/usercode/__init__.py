"""The user's own code: how it is found and imported, and the checksum of its source."""
