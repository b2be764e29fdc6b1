"""Reading the rendered HCL back."""
