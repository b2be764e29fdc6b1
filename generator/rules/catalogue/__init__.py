"""The rules, a module for each family; each has a tuple `RULES`."""
