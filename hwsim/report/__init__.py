"""What we say: reports as tables, files, pages and pictures."""
