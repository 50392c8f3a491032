"""The words that events are made of: happenings by theme, causes, victims, moments, ends."""

from loresmith.small_model.word_lists import word_list

HAPPENINGS = {
    "fantasy": word_list("""siege, dragon attack, royal wedding, plague, rebellion, tournament, coronation, battle,
        betrayal, great fire, theft, trial"""),
    "norse-mythology": word_list("""raid, sea battle, feud, shipwreck, burial, duel, famine, oath, long winter, feast,
        flood, wolf hunt"""),
    "cyberpunk": word_list("""blackout, data theft, riot, strike, robot revolt, explosion, kidnapping, trial, epidemic,
        police raid, crash, takeover"""),
    "post-apocalyptic": word_list("""drought, raid, sandstorm, epidemic, exodus, explosion, truce, famine, mutiny,
        battle, discovery, fire"""),
    "steampunk": word_list("""airship crash, strike, explosion, expedition, coup, train robbery, exhibition, great
        fire, trial, mutiny, flood, discovery"""),
}
ANY_HAPPENING = word_list("""battle, plague, fire, rebellion, discovery, betrayal, flood, wedding, trial, theft,
    famine, explosion""")
CAUSES = word_list("""a broken promise, a stolen letter, greed, an old feud, a mistake, a forbidden love, a lie,
    hunger, a bad omen, a murder, a new law, revenge, a missing child, a debt, a false king, a drunken guard""")
VICTIMS = word_list("""children, soldiers, farmers, merchants, sailors, prisoners, widows, servants, workers, miners,
    refugees, healers, old people, hunters, rulers, strangers""")
TIMES = word_list("""before dawn, at midnight, in spring, in autumn, in midwinter, on a market day, during a storm,
    on a holy day, in a dry summer, under a full moon, in thick fog, after the harvest""")
BEGAN = word_list("""destroyed the, ended the, changed the, split the, ruined the, shook the, saved the, emptied the,
    united the, freed the, humbled the, covered the, divided the, surprised the, cost the, darkened the""")
DID = word_list("""attacked, burned, stole, betrayed, found, opened, closed, seized, hid, poisoned, freed, carried away,
    followed, warned, crowned, buried, abandoned, blamed, drowned, rebuilt""")
WHAT = "(the|a|their|every)"
SUFFERED = word_list("""lost their, fled from, died in, hid in, paid for, waited for, slept in, buried their,
    prayed for, escaped from, wept for, were blamed for, were sold to, went without, worked for""")
ACTORS = {
    "fantasy": word_list("knights, soldiers, rebels, wizards, priests, thieves, villagers, guards, nobles, dragons"),
    "norse-mythology": word_list("vikings, raiders, giants, wolves, sailors, hunters, outlaws, seers"),
    "cyberpunk": word_list("hackers, robots, guards, workers, smugglers, thieves, drones, soldiers"),
    "post-apocalyptic": word_list("raiders, scavengers, survivors, farmers, soldiers, traders, mutants, strangers"),
    "steampunk": word_list("workers, pirates, engineers, soldiers, inventors, spies, machines, miners"),
}
ANY_ACTOR = word_list("rebels, soldiers, thieves, villagers, strangers, workers, guards")
STARTED = word_list("began with, happened because of, was caused by, started over")
MANY = word_list("Many, Most, Hundreds of, Some, All, Only the")
SINCE = word_list(
    "Since then, Because of it, To this day, A year later, After that day, From that day on, The next morning"
)
CHANGED = word_list("""nobody dares to, nobody trusts, everyone fears, the survivors remember, people whisper about,
    nobody may, every child knows, strangers must, the guards watch, the rich pay for the, the poor sing about the,
    nobody speaks of the, travellers avoid, the old ones curse""")
LINKS = word_list("that, between, about, over, from, with, which, in")
"""How a sentence goes on after what the brief gave."""
