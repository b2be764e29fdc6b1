"""From the resolved fleet to Terraform files."""
