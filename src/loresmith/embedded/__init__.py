"""Children of `loresmith run` on one machine: a Redis server and a language model of its own."""
