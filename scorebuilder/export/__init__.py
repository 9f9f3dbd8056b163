"""A score in other languages: one expression tree, printed by each target."""
