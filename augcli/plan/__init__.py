"""What is to be made: sources become a ring, shards and tasks; parts say what is done."""
