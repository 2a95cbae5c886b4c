"""What a person starts: runs, heat maps, verifying, status."""
