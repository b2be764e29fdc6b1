# Vault side of the retail account (210987654321). Written by hand.
terraform {
  required_providers {
    vault = { source = "hashicorp/vault", version = "~> 5.9" }
  }
  required_version = ">= 1.11"

  backend "local" {
    path = "../../../../../state/retail-vault.tfstate"
  }
}

provider "vault" {
  namespace = "admin" // the only one that HCP has
}
