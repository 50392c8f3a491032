"""Word lists, one module for each type of lore piece."""
