"""Records read: tables, statistics, figures, comparisons with published results, and the page that shows them all."""
