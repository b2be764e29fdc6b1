"""Reading live systems."""
