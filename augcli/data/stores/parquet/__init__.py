"""Parquet files with the bytes of images."""
