"""The words that people are made of: trades by theme, pasts, looks, traits, skills."""

from loresmith.small_model.word_lists import word_list

ROLES = {
    "fantasy": word_list("""healer, thief, knight, wizard, ranger, blacksmith, bard, priest, spy,
        dragon hunter"""),
    "norse-mythology": word_list("""viking, shield maker, rune carver, skald, whaler, giant slayer,
        seer, shipbuilder, wolf hunter, healer"""),
    "cyberpunk": word_list("""hacker, bounty hunter, street doctor, smuggler, drone pilot, detective,
        robot mechanic, bodyguard, data thief, journalist"""),
    "post-apocalyptic": word_list("""scavenger, water trader, medic, mechanic, scout, hunter,
        radio operator, guard, farmer, teacher"""),
    "steampunk": word_list("""airship pilot, inventor, clockmaker, engineer, detective, smuggler,
        chemist, stage magician, explorer, mechanic"""),
}
ANY_ROLE = word_list("""leader, healer, hunter, spy, guard, cook, builder, thief, messenger,
    storyteller, scout, trader""")
PASTS = word_list("""lost a brother, was raised by strangers, ran away from home, betrayed a friend,
    survived a war, was unjustly accused, found a strange object, made a promise to a dying friend,
    failed an important test, was saved by an enemy, broke an old law, lost a home in a fire""")
LOOKS = word_list("""a scar on the cheek, grey eyes, a crooked nose, red hair, a shaved head, an old
    leather coat, a silver ring, burned hands, a green cloak, braided hair, a broken tooth,
    freckles, a wooden leg, a deep voice, tattooed arms, a fur hat""")
PAST_VERBS = word_list("""was, had, lost, left, found, made, grew, ran, spent, broke, saved,
    survived, betrayed, learned, failed, promised, became, swore, fled, returned, discovered,
    fought, served, escaped""")
TRAITS = {
    "virtue": word_list("""brave, calm, patient, loyal, gentle, honest, generous, careful, cheerful,
        humble, clever, kind, bold, merciful, devoted, forgiving, thoughtful, tender, faithful,
        graceful, hopeful, selfless, resourceful, determined, compassionate, charming, wise,
        curious, witty, disciplined"""),
    "flaw": word_list("""stubborn, proud, ruthless, reckless, gloomy, arrogant, greedy, jealous, sly,
        vengeful, impulsive, secretive, cynical, superstitious, clumsy, lazy, bitter, cold,
        suspicious, restless, sarcastic, rebellious, impatient, vain, cunning"""),
    "temper": word_list("""quiet, fierce, dreamy, solemn, playful, lonely, stern, shy, daring,
        practical, protective, melancholy, passionate, idealistic, ambitious, mysterious,
        energetic, serious, gruff, serene, talkative, watchful, eccentric, dignified"""),
}
"""Words that a trait may be, in three groups so that the three of a character always differ."""

SKILLS = {
    "craft": word_list("""mending, forging, brewing, carving, cooking, sewing, healing, repairing,
        building, sharpening, making"""),
    "training": word_list("""tracking, riding, climbing, hunting, sailing, scouting, fighting,
        guarding, exploring, taming, hiding"""),
    "talent": word_list("""reading, bargaining, singing, telling, solving, deciphering, persuading,
        planning, predicting, studying"""),
}
"""First words that a skill may have; what it is about is the model's."""

BEARD = ("beard", "bearded", "mustache", "moustache")
OF_A_MAN = ("he", "man", *BEARD)
OF_A_WOMAN = ("she", "woman", "lady", "lass", "girl", "duchess", "queen", "princess")
