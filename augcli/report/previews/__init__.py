"""What previews are made of: values of an option, and the outputs of a run for each."""
