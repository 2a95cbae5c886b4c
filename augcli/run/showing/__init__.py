"""What a run shows to people while it goes on."""
