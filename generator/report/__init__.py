"""How findings and runs are shown."""
