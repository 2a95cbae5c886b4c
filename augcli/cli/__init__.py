"""Words on a command line become a run; a run becomes words on a terminal and an exit code."""
