"""The docs, tested: every command, snippet, table and link in them."""
