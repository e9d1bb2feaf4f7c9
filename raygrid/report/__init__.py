"""Reports from records: tables, statistics, figures, comparisons with published results, and a page with all this."""
