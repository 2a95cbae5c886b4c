"""Sheets: rows of pictures with their labels, as one picture, or in a terminal."""
