# Terramate: the files of each account, with what crosskeys renders for it.
globals {
  region      = "us-east-1"
  tags        = {}
  provisioner = ""
  sts_role    = ""
  external_id = ""
}

generate_hcl "vault-root.tf" {
  content {
    terraform {
      required_version = ">= 1.11"
      required_providers {
        vault = {
          source  = "hashicorp/vault"
          version = ">= 5.9, < 6"
        }
      }
      backend "local" {
        path = "../../../../.crosskeys/state/accounts/${global.account_id}/vault.tfstate"
      }
    }
    provider "vault" {
      namespace = "admin"
    }
  }
}

generate_hcl "aws-root.tf" {
  content {
    terraform {
      required_version = ">= 1.11"
      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = ">= 5.100, < 7"
        }
      }
      tm_dynamic "backend" {
        labels    = ["local"]
        condition = global.provisioner != ""
        content {
          path = "../../../../.crosskeys/state/accounts/${global.account_id}/aws.tfstate"
        }
      }
    }
    provider "aws" {
      region              = global.region
      allowed_account_ids = [global.account_id]

      tm_dynamic "assume_role" {
        condition = global.provisioner != ""
        content {
          role_arn     = global.provisioner
          session_name = "crosskeys"
        }
      }

      default_tags {
        tags = tm_merge({ managed-by = "crosskeys" }, global.tags)
      }
    }
  }
}

generate_hcl "vault-sts.tf" {
  condition = global.sts_role != ""

  content {
    tm_dynamic "resource" {
      labels = ["vault_aws_auth_backend_sts_role", "account-${global.account_id}"]
      attributes = {
        backend     = "aws"
        account_id  = global.account_id
        sts_role    = "arn:aws:iam::${global.account_id}:role/${global.sts_role}"
        external_id = global.external_id
      }
    }
  }
}

generate_hcl "aws-sts.tf" {
  condition = global.sts_role != ""

  content {
    data "aws_iam_policy_document" "vault_sts_trust" {
      statement {
        sid     = "VaultAssumesThisRole"
        effect  = "Allow"
        actions = ["sts:AssumeRole"]

        principals {
          type        = "AWS"
          identifiers = ["arn:aws:iam::999999999999:role/hcp-vault"]
        }

        condition {
          test     = "StringEquals"
          variable = "sts:ExternalId"
          values   = [global.external_id]
        }
      }
    }

    data "aws_iam_policy_document" "vault_sts_permissions" {
      statement {
        sid       = "FindInstances"
        effect    = "Allow"
        actions   = ["ec2:DescribeInstances"]
        resources = ["*"]
      }
      statement {
        sid       = "ReadRoles"
        effect    = "Allow"
        actions   = ["iam:GetRole"]
        resources = ["arn:aws:iam::${global.account_id}:role/*"]
      }
    }

    resource "aws_iam_role" "vault_sts" {
      name                 = global.sts_role
      description          = "HCP Vault assumes this role to look up instances and IAM roles"
      assume_role_policy   = data.aws_iam_policy_document.vault_sts_trust.json
      permissions_boundary = "arn:aws:iam::${global.account_id}:policy/workload-boundary"
      max_session_duration = 3600
    }

    resource "aws_iam_role_policy" "vault_sts" {
      name   = global.sts_role
      role   = aws_iam_role.vault_sts.name
      policy = data.aws_iam_policy_document.vault_sts_permissions.json
    }
  }
}
