"""The cost of cells: predicted seconds, a schedule on machines, the bill, and the budget that ends a run."""
