"""The manifest: a row for each output, as CSV, JSON lines or Parquet."""
