"""Every kind of item: how it is made, and what a model writes for it when it writes well."""

from typing import Any

from loresmith.job_types.generate_characters import CharacterKind
from loresmith.job_types.generate_events import EventKind
from loresmith.job_types.generate_factions import FactionKind
from loresmith.job_types.generate_relics import RelicKind
from loresmith.job_types.generate_settings import SettingKind
from loresmith.llm.kind import Kind

AnyKind = Kind[Any, Any]

KINDS: dict[str, type[AnyKind]] = {
    "character": CharacterKind,
    "faction": FactionKind,
    "setting": SettingKind,
    "event": EventKind,
    "relic": RelicKind,
}

WRITTEN: dict[str, dict[str, Any]] = {
    "character": {
        "role": "Ranger",
        "virtue": "brave",
        "flaw": "sly",
        "temper": "fierce",
        "description": "A brave ranger who guards the last road to the north.",
        "appearance": "{pronoun} has freckles and braided hair.",
        "name": "Kira Thorne",
        "backstory": "{pronoun} survived a war that took a whole village.",
        "craft": "mending bows",
        "training": "tracking wolves",
        "talent": "reading the stars",
    },
    "faction": {
        "kind": "Thieves' guild",
        "reputation": "feared",
        "description": "A feared guild that robs the palace twice a year.",
        "goal": "They want to steal the seal of the king.",
        "name": "The Gilded Guild",
        "method": "bribing the guards",
        "scheme": "watching the docks",
        "title": "Captain",
        "leader": "Mara Voss",
        "headquarters": "They meet in a cellar under the old market.",
        "symbol": "a silver hand over a lock",
        "secret": "They secretly work for the queen.",
    },
    "setting": {
        "kind": "River port",
        "mood": "misty",
        "description": "A misty river port where barges sink without a sound.",
        "air": "crowded",
        "landmark": "On the hill stands a lighthouse that has burned for a century.",
        "name": "Mudwater Port",
        "inhabitants": "Its people sell eels and repair old boats.",
        "danger": "At night, thieves come across the marsh.",
        "first": "salt",
        "second": "rope",
        "secret": "Under the water lies a golden barge.",
    },
    "event": {
        "kind": "Siege",
        "time": "in autumn",
        "description": "In autumn, a siege emptied the upper town.",
        "course": "Some soldiers opened the gate for a purse of silver.",
        "name": "The Barren Siege",
        "cause": "It began with a stolen letter that nobody had sealed.",
        "affected": "Many farmers lost their oxen and their seed.",
        "consequence": "Since then, every child learns to swim.",
    },
    "relic": {
        "kind": "Lantern",
        "material": "copper",
        "rarity": "rare",
        "description": "A copper lantern that shows doors behind walls.",
        "appearance": "It is engraved with tiny birds.",
        "power": "It opens any lock before sunrise.",
        "name": "The Narrow Lantern",
        "cost": "Its owner forgets one face each night.",
        "origin": "It was forged by two sisters in exile.",
        "keeper": "A hermit hides it under the altar.",
    },
}
"""Of each kind one answer, but for its numbers; a character's has a place for the pronoun."""

UNFIT: dict[str, tuple[str, str]] = {
    "character": ("backstory", "{pronoun} lost a knife and"),
    "faction": ("secret", "They secretly work for the"),
    "setting": ("danger", "At night, thieves come across the"),
    "event": ("course", "Some soldiers opened the gate of the."),
    "relic": ("power", "It opens and opens and opens the doors."),
}
"""Of each kind a field, and a text that nobody would show."""


def written(kind: AnyKind, index: int = 0, **changes: Any) -> dict[str, Any]:
    """What a model writes for one item of a kind, with changes; all numbers differ."""
    pattern = str(kind.request(index, 0, []).output_schema)
    pronoun = "He" if "'^He " in pattern else "She"
    numbers = {name: least + at for at, (name, (least, _)) in enumerate(kind.numbers.items())}
    answer = {**WRITTEN[kind.noun], **numbers, **changes}
    return {name: each.format(pronoun=pronoun) if isinstance(each, str) else each for name, each in answer.items()}
