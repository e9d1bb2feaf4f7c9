"""Mixtures A X of samples, without computing them: their values, and their inner products."""
