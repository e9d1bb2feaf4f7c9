"""What is kept on a disk or at a URL: records and predictions, the cache that cells share, and checkpoints."""
