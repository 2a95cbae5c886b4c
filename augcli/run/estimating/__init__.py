"""Estimating: what a sample of the sources says of all of them."""
