"""The training of networks: batches, epochs, and what a training leaves."""
