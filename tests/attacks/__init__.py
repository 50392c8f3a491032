"""The catalogue of attacks, by area: each test is one that was tried, and what stands against it."""
