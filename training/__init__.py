"""Training of the adapter of the embedded model; nothing of it is part of the product."""
