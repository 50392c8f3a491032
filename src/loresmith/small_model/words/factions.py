"""The words that factions are made of: organisations by theme, aims, seats, reputations, leaders, doings."""

from loresmith.small_model.word_lists import word_list

ORGANISATIONS = {
    "fantasy": word_list("""thieves' guild, order of knights, wizards' circle, band of outlaws, merchants' league,
        temple brotherhood, rangers' company, dragon cult, noble house, court of spies, smiths' guild"""),
    "norse-mythology": word_list("""raiding clan, shield brotherhood, circle of seers, whalers' guild, rune cult,
        fishing clan, order of skalds, mountain tribe, band of outcasts, shipbuilders' guild, wolf cult"""),
    "cyberpunk": word_list("""hacker collective, street gang, weapons company, medical company, police union,
        smuggling ring, robot cult, bank, news agency, underground clinic, drone racing club"""),
    "post-apocalyptic": word_list("""scavenger gang, water company, farming commune, road patrol, bunker cult,
        traders' caravan, mechanics' union, army remnant, radio network, healers' camp, raider gang"""),
    "steampunk": word_list("""airship company, inventors' society, miners' union, secret police, smuggling ring,
        clockmakers' guild, explorers' club, railway company, street gang, chemists' league, sky pirate crew"""),
}
ANY_ORGANISATION = word_list("""secret society, traders' guild, family clan, council of elders, smuggling ring,
    hunters' company, watch, religious order, rebel band, school, workers' union""")
AIMS = word_list("""to free a prisoner, to guard an old secret, to take over a market, to find a lost weapon,
    to avenge a murder, to protect the poor, to bring down the rulers, to control the roads,
    to cure a sickness, to hide a crime, to rob the rich, to build something new, to stop a war""")
SEATS = word_list("""in an old mill, in a cellar, in a tower, in a burned house, on a ship, in a tavern,
    in a deep tunnel, in an old school, in a warehouse, behind a walled garden, in an empty prison, under a bridge,
    in a hospital, in a quarry, on a roof, behind a waterfall""")
EMBLEMS = word_list("""wolf, hand, key, eye, tree, raven, crown, hammer, star, snake, flame, wheel, bell, lantern,
    anchor, moth, bull, mask, rose, arrow, spider, bridge, skull, ladder""")
REPUTES = word_list("""feared, respected, secretive, greedy, ruthless, proud, patient, honest, cunning, reckless,
    disciplined, generous, cruel, loyal, hated, wealthy, poor, forgotten, famous, fanatical, noble,
    desperate, shrewd, quiet""")
WANTS = word_list("want to, plan to, hope to")
AIM_VERBS = word_list("""free, guard, take, find, avenge, protect, bring, control, cure, hide, rob, build, stop, steal,
    destroy, rule, buy, open, keep, save, sell, kill, unite, drive, teach, rebuild, prove, win""")
PRACTICES = word_list("""guards, sells, steals, hunts, controls, trains, hides, trades in, protects, builds, watches,
    obeys, collects, robs, teaches, serves, rules, lives by, lends, repairs, smuggles, fights, keeps""")
DOINGS = {
    "method": word_list("""bribing, blackmailing, robbing, recruiting, watching, warning, freeing, hunting, kidnapping,
        hiding, following, teaching"""),
    "scheme": word_list("""stealing, selling, smuggling, forging, collecting, burning, buying, copying, guarding,
        spreading, building, breaking"""),
}
"""First words of what a faction does to people, and to things; the rest is the model's."""
TITLES = {
    "fantasy": word_list("Grandmaster, Captain, Lord, Lady, High Priest, Marshal, Elder"),
    "norse-mythology": word_list("Jarl, Chieftain, Seer, Captain, Elder, Lawspeaker"),
    "cyberpunk": word_list("Director, Boss, Chief, Doctor, Captain, Chairman"),
    "post-apocalyptic": word_list("Captain, Boss, Warden, Mother, Chief, Elder"),
    "steampunk": word_list("Captain, Professor, Lord, Lady, Inspector, Chairman"),
}
ANY_TITLE = word_list("Captain, Master, Elder, Chief, Mother, Speaker")
COLOURS = word_list("""black, white, red, silver, golden, broken, burning, blue, green, iron, open, bleeding, winged,
    rusty, severed, sleeping""")
SECRETS = word_list("""secretly serve, secretly fear, once betrayed, once killed, once burned, owe their wealth to,
    stole their treasure from, were founded by, have lost, have poisoned, are ruled by, have sold, made a pact with,
    are paid by, cannot find, no longer believe in, are hunted by, keep a list of""")
