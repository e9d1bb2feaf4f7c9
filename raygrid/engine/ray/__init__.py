"""The Ray engine; no other folder imports Ray."""
