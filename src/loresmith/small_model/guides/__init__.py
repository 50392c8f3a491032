"""Guides, one for each type of lore piece."""
