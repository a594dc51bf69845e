"""The cases, by family, as the rules are."""
