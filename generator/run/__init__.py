"""Running Terraform over the rendered roots."""
