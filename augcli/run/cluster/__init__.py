"""One run by many machines that share OUT: prepare, the tasks of an array job, finish."""
