"""Report: what a person looks at to see whether a data set is right."""
