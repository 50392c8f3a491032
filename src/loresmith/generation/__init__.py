"""Typed, metered, checkpointed calls to a language model on behalf of a job."""

from loresmith.generation.generate import DEFAULT_INSTRUCTIONS, generate
from loresmith.generation.items import Concept, gather_or_cancel, generate_items, plan, with_plan
from loresmith.generation.progress import is_guided
from loresmith.generation.streamed import generate_streamed
from loresmith.llm.errors import GenerationError
from loresmith.lore.quoting import quote

__all__ = [
    "DEFAULT_INSTRUCTIONS",
    "Concept",
    "GenerationError",
    "gather_or_cancel",
    "generate",
    "generate_items",
    "generate_streamed",
    "is_guided",
    "plan",
    "quote",
    "with_plan",
]
