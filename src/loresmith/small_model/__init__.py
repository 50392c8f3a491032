"""Guides for a guided model: one that is too small to follow instructions and is held to forms and grammars instead.

`loresmith.generation` alone imports this package, and uses it when the lore service says that its model is guided.
"""

from loresmith.small_model.find import find_item_guide, find_story_guide

__all__ = ["find_item_guide", "find_story_guide"]
