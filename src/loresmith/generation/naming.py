"""Words for a pydantic model in messages: its noun, its plural."""

import re

from pydantic import BaseModel


def find_noun(model: type[BaseModel]) -> str:
    """Return the name of a model as words: "product description" for `ProductDescription`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", model.__name__.strip("_")).lower()


def find_plural(noun: str) -> str:
    """Return the plural of an English noun by the regular rules."""
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(s|x|z|ch|sh)$", noun) else f"{noun}s"
