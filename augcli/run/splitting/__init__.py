"""Splitting: INPUT is divided into train, val and test."""
