"""The words that settings are made of: places by theme, landmarks, dangers, moods, trades."""

from loresmith.small_model.word_lists import word_list

PLACES = {
    "fantasy": word_list("""castle town, forest village, ruined keep, wizards' tower, river port, mountain pass,
        temple city, elven grove, dragon valley, market town, swamp, royal palace"""),
    "norse-mythology": word_list("""fjord village, burial field, longhouse, ice cave, whaling harbour, sacred grove,
        mountain fortress, frozen lake, shipyard, giants' pass, island, trading post"""),
    "cyberpunk": word_list("""night market, tower block, harbour district, data vault, underground station, factory
        district, rooftop village, prison, arcade, hospital tower, scrapyard, sky bridge"""),
    "post-apocalyptic": word_list("""bunker, dead city, scrap town, dry lake, flooded station, farm, radio tower,
        highway bridge, hospital ruin, oil field, shopping hall, dam"""),
    "steampunk": word_list("""airship dock, factory district, clock tower, mining town, railway station, floating city,
        royal academy, sewer, gas works, harbour, greenhouse, iron bridge"""),
}
ANY_PLACE = word_list("""harbour, market town, old fortress, island, underground city, mountain village, abandoned
    mine, temple, desert outpost, border town, forest, prison""")
LANDMARKS = word_list("""a bell, a statue, a dead tree, a well, a bridge, a clock, a wall, a lighthouse, a staircase,
    a gate, a crane, a graveyard, a tower, a market hall, a wreck, a fountain""")
DANGERS = word_list("""fevers, fires, wolves, thieves, floods, ghosts, rats, storms, spies, raiders, falling stones,
    thick fogs, wild dogs, poisoned wells, beasts, jealous neighbours""")
HARMS = word_list("""come, rise, creep, drive, kill, take, follow, haunt, fill, break, wait, strike, threaten, steal""")
MOODS = word_list("""gloomy, busy, silent, windy, crowded, cold, dusty, misty, smoky, proud, poor, wealthy, lawless,
    sacred, forgotten, half-empty, noisy, damp, sunny, tense, festive, bitter, narrow, sleepless, rusty, haunted""")
BUILT = word_list("""built around, built on, built under, hidden behind, ruled by, known for, surrounded by,
    divided by, watched by""")
WHERE = word_list("In the middle, By the gate, On the hill, Above the roofs, At the far end, Beside the road")
STANDS = word_list("stands, rises, leans, looms")
LIVES = word_list("""live from, sell, fish for, hunt, trade in, guard, pray to, fear, dig for, brew, grow, hide from,
    whisper about, repair, wait for, sing about, pay for, argue about, never trust, look after""")
FEARS = word_list("At night, In winter, In summer, After rain, At dawn, When the wind turns")
HIDDEN = word_list("""Under the streets, Behind a wall, Below the floor, In a locked room, Under the water,
    Inside the oldest house, Beneath a stone""")
SECRETS = word_list("""a sealed door, a map, a second town, a sleeping child, a chest of letters, a prisoner, an altar,
    a treasure, a grave without a name, a machine, a tunnel, a crown, an old enemy, a garden, a list, a weapon""")
"""Where and what the secret of a place is; the rest of it is the model's."""
LINKS = word_list("that, made of, full of, covered in, where, older than, built by")
OF_SECRETS = word_list("that, which, from, made for, left by, older than, stolen from")
"""How a sentence goes on after what the brief gave: without such a word a small model would end there."""
GOODS = {
    "fantasy": word_list("""silver, salt, healing herbs, old books, swords, wool, honey, horses, timber, candles, maps,
        wine, furs, glass, iron, mushrooms, charms, bread"""),
    "norse-mythology": word_list("""amber, whale oil, furs, dried fish, iron, mead, ships, ropes, bone combs, wool, ice,
        axes, timber, salt, honey, seal skins, shields, songs"""),
    "cyberpunk": word_list("""data, spare parts, noodles, implants, batteries, fake papers, medicine, neon lights,
        drones, water, passwords, copper wire, rumours, masks, music, weapons, lenses, sleep"""),
    "post-apocalyptic": word_list("""clean water, rust, tinned food, petrol, seeds, medicine, bullets, batteries,
        salt, scrap metal, maps, goats, tyres, books, soap, radios, rope, corn"""),
    "steampunk": word_list("""coal, brass, steam, clocks, oil, airship silk, gears, maps, glass, gunpowder, copper,
        lamps, tea, tools, mirrors, rubber, whisky"""),
}
ANY_GOODS = word_list("""salt, fish, wool, timber, iron, honey, spices, horses, stone, cloth, wine, tools, oil,
    medicine, gold, rope, paper, fruit""")
