"""What is kept on a disk or at a URL: records, what cells share, checkpoints."""
