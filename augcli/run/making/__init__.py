"""Making a data set: prepare, work, finish."""
