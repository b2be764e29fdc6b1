provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["210987654321"]
  assume_role {
    role_arn     = "arn:aws:iam::210987654321:role/provisioning/terraform"
    session_name = "by-hand"
  }
}

terraform {
  required_version = ">= 1.11, < 2"
  required_providers {
    aws = {
      source  = "registry.terraform.io/hashicorp/aws"
      version = ">= 5.100"
    }
  }
}
