"""A real Vault and an AWS stand-in on loopback."""
