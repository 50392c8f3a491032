"""LoreSmith: asynchronous jobs for language-model generation."""
