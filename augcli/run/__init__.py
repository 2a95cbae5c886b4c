"""How a data set gets made: plan, shards, parts, workers."""
