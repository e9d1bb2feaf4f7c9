"""Inference: what the folds of a study, or its data sets, allow to be said about differences between methods."""
