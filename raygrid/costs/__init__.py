"""What cells cost: predicted, scheduled, summed up, limited."""
