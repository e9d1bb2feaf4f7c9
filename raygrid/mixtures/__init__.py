"""Mixtures A X of samples: their values in batches, and their inner products without computing the mixtures."""
