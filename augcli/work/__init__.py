"""What a worker does to a shard, and the pools that drive workers."""
