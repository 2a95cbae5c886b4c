"""Checking a run before it begins: options, INPUT, places, amounts; no image is opened."""
