"""crosskeys: one YAML manifest per client becomes the Terraform that gives it its own certificates in HCP Vault."""

__version__ = "0.1.0"
