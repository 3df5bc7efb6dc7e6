"""Pages of the documentation that nobody writes: chips, commands, published figures, and what runs where."""
