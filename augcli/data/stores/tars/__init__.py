"""Tar archives: shards of WebDataset."""
