"""From what is registered in a live Vault to the manifests that say it."""
