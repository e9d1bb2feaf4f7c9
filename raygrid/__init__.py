"""raygrid: declared grids of experiments on imbalanced image recognition, run on Ray, resumable at any moment.

Six nouns, used everywhere with one meaning each:

grid
    What is declared: a YAML file naming the levels of every axis.
cell
    One point of the grid: dataset x imbalance ratio x fold x representation x resampler x classifier.
trial
    One execution of a cell.
record
    What a trial leaves: a status, the confusion matrix, the metrics, what it cost.
store
    Where records live: a directory, one file a cell.
report
    What is read from records: tables, statistics, figures.

A value on an axis is a *level*.
"""

__version__ = "0.1.0"
