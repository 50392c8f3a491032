"""The words that relics are made of: objects by theme, materials, origins, prices, keepers, rarities."""

from loresmith.small_model.word_lists import word_list

OBJECTS = {
    "fantasy": word_list("""sword, crown, ring, staff, book, mirror, shield, chalice, cloak, horn, dagger, lantern,
        key, amulet"""),
    "norse-mythology": word_list("""axe, rune stone, drinking horn, spear, helmet, arm ring, anchor, bone flute,
        shield, hammer, wolf pelt, ship figurehead"""),
    "cyberpunk": word_list("""implant, data chip, visor, robot hand, gun, key card, mask, drone, battery, glove,
        music player, neon sign"""),
    "post-apocalyptic": word_list("""gas mask, radio, water filter, rifle, map, compass, music box, engine, knife,
        seed box, lighter, helmet"""),
    "steampunk": word_list("""pocket watch, goggles, compass, steam engine, mechanical bird, pistol, lantern, telescope,
        music box, brass arm, map, key"""),
}
ANY_OBJECT = word_list("""ring, knife, mask, book, mirror, key, map, bell, lantern, stone, coat, box, flute, coin""")
MATERIALS = word_list("""iron, silver, gold, bone, glass, black stone, oak, copper, leather, brass, steel, ivory, jade,
    ash wood, bronze, crystal, tin, horn, obsidian""")
ORIGINS = word_list("""made by a blind smith, found in a grave, stolen from a ruler, won in a game, pulled from a wreck,
    made for a wedding, forged in a war, given to a traitor, made by two sisters, left by a stranger, bought with a
    life, dug out of ashes, lost in a storm, carved in a prison, cut from a giant""")
PRICES = word_list("""a memory, sleep, warmth, an eye, luck, a year of life, friends, hearing, dreams, blood, hope,
    courage, a name, the taste of bread, a shadow, an old love, the way home""")
GIFTS = word_list("""shows, opens, heals, hides, calls, stops, finds, burns, lifts, protects, wakes, cuts, freezes,
    breaks, reads, lights, mends, remembers, warns, silences""")
LOOKS = word_list("""is covered with, is wrapped in, is engraved with, glows like, smells of, is shaped like, hums like,
    is stained with, is no larger than, has lost, is set with, changes its""")
TAKES = word_list("loses, gives up, pays with, is robbed of, trades away")
WHEN = word_list("""when, until, because, whenever, for, and never""")
HOW = word_list("in, for, after, under, during, near, before, who, that")
"""How a sentence goes on after what the brief gave."""
KEEPERS = {
    "fantasy": word_list("old king, thief, priestess, witch, knight, ranger, monk, merchant, blacksmith, orphan"),
    "norse-mythology": word_list("jarl, seer, whaler, giant, shipbuilder, widow, skald, outlaw, smith, fisherman"),
    "cyberpunk": word_list("hacker, doctor, smuggler, dealer, detective, banker, gang boss, mechanic, pilot, robot"),
    "post-apocalyptic": word_list("trader, medic, hermit, raider, mechanic, farmer, scout, teacher, nurse, child"),
    "steampunk": word_list("inventor, captain, duchess, clockmaker, spy, professor, miner, pilot, thief, engineer"),
}
ANY_KEEPER = word_list("thief, widow, priest, soldier, merchant, sailor, hermit, child, healer, collector")
