"""Formats of the manifest."""
