"""One file per job type; the registry finds them here by import."""
