"""How a workspace is made out of a table: what its columns are, how its items are divided, its first params."""
