"""What is done to each picture: chains of steps, their records, and recipes in TOML."""
