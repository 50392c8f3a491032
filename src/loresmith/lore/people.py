"""The words that people are made of: trades by theme, pasts, looks, traits, skills."""

from collections.abc import Sequence
from random import Random


def _words(text: str) -> list[str]:
    return [" ".join(each.split()) for each in text.split(",")]


ROLES = {
    "fantasy": _words("""healer, thief, knight, wizard, ranger, blacksmith, bard, priest, spy,
        dragon hunter"""),
    "norse-mythology": _words("""viking, shield maker, rune carver, skald, whaler, giant slayer,
        seer, shipbuilder, wolf hunter, healer"""),
    "cyberpunk": _words("""hacker, bounty hunter, street doctor, smuggler, drone pilot, detective,
        robot mechanic, bodyguard, data thief, journalist"""),
    "post-apocalyptic": _words("""scavenger, water trader, medic, mechanic, scout, hunter,
        radio operator, guard, farmer, teacher"""),
    "steampunk": _words("""airship pilot, inventor, clockmaker, engineer, detective, smuggler,
        chemist, stage magician, explorer, mechanic"""),
}
ANY_ROLE = _words("""leader, healer, hunter, spy, guard, cook, builder, thief, messenger,
    storyteller, scout, trader""")
PASTS = _words("""lost a brother, was raised by strangers, ran away from home, betrayed a friend,
    survived a war, was unjustly accused, found a strange object, made a promise to a dying friend,
    failed an important test, was saved by an enemy, broke an old law, lost a home in a fire""")
LOOKS = _words("""a scar on the cheek, grey eyes, a crooked nose, red hair, a shaved head, an old
    leather coat, a silver ring, burned hands, a green cloak, braided hair, a broken tooth,
    freckles, a wooden leg, a deep voice, tattooed arms, a fur hat""")
INITIALS = "ABCDEGHIKLMNOPRSTVW"
PAST_VERBS = _words("""was, had, lost, left, found, made, grew, ran, spent, broke, saved,
    survived, betrayed, learned, failed, promised, became, swore, fled, returned, discovered,
    fought, served, escaped""")
TRAITS = {
    "virtue": _words("""brave, calm, patient, loyal, gentle, honest, generous, careful, cheerful,
        humble, clever, kind, bold, merciful, devoted, forgiving, thoughtful, tender, faithful,
        graceful, hopeful, selfless, resourceful, determined, compassionate, charming, wise,
        curious, witty, disciplined"""),
    "flaw": _words("""stubborn, proud, ruthless, reckless, gloomy, arrogant, greedy, jealous, sly,
        vengeful, impulsive, secretive, cynical, superstitious, clumsy, lazy, bitter, cold,
        suspicious, restless, sarcastic, rebellious, impatient, vain, cunning"""),
    "temper": _words("""quiet, fierce, dreamy, solemn, playful, lonely, stern, shy, daring,
        practical, protective, melancholy, passionate, idealistic, ambitious, mysterious,
        energetic, serious, gruff, serene, talkative, watchful, eccentric, dignified"""),
}
"""Words that a trait may be, in three groups so that the three of a character always differ."""

SKILLS = {
    "craft": _words("""mending, forging, brewing, carving, cooking, sewing, healing, repairing,
        building, sharpening, making"""),
    "training": _words("""tracking, riding, climbing, hunting, sailing, scouting, fighting,
        guarding, exploring, taming, hiding"""),
    "talent": _words("""reading, bargaining, singing, telling, solving, deciphering, persuading,
        planning, predicting, studying"""),
}
"""First words that a skill may have; what it is about is the model's."""

BEARD = ("beard", "bearded", "mustache", "moustache")
OF_A_MAN = ("he", "man", *BEARD)
OF_A_WOMAN = ("she", "woman", "lady", "lass", "girl", "duchess", "queen", "princess")


def draw(random: Random, choices: Sequence[str], count: int) -> list[str]:
    """Return `count` of the choices in random order, none twice before each came once."""
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += random.sample(choices, len(choices))
    return drawn[:count]
