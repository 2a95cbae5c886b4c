"""What is shown: rows that are chosen, their pictures, thumbnails."""
