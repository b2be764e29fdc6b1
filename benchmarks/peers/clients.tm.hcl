# Terramate: the two files of each client, with what crosskeys renders for it. Every client is a stack of its own, below
# its account's folder; its globals are its manifest.
globals {
  vault_role  = global.role_name
  grants      = []
  suspended   = false
  login       = {}
  aws_role    = "create"
  aws_path    = "/"
  aws_tags    = {}
  profile     = global.role_name
  services    = ["ec2.amazonaws.com"]
  boundary    = "arn:aws:iam::${global.account_id}:policy/workload-boundary"
  max_session = 3600
}

generate_hcl "vault.tf" {
  lets {
    own = "certs/${global.account_id}/${global.role_name}"
    shared = tm_join("", [
      for path in global.grants :
      "\n# shared: read and list what lies below ${path}\npath \"secret/data/${path}/*\" { capabilities = [\"read\", \"list\"] }\npath \"secret/metadata/${path}/*\" { capabilities = [\"list\", \"read\"] }\n"
    ])
    allowed = <<-EOT
      # list or read the actual certificates
      path "secret/data/${let.own}/*" { capabilities = ["read", "list"] }
      # list metadata for the directory or its certificates
      path "secret/metadata/${let.own}/*" { capabilities = ["list", "read"] }
    EOT
    denied = <<-EOT
      # suspended: the whole of the client's own directory is denied
      path "secret/metadata/${let.own}" { capabilities = ["deny"] }
      path "secret/data/${let.own}/*" { capabilities = ["deny"] }
      path "secret/metadata/${let.own}/*" { capabilities = ["deny"] }
      path "secret/delete/${let.own}/*" { capabilities = ["deny"] }
      path "secret/undelete/${let.own}/*" { capabilities = ["deny"] }
      path "secret/destroy/${let.own}/*" { capabilities = ["deny"] }
      path "secret/subkeys/${let.own}/*" { capabilities = ["deny"] }
    EOT
  }

  content {
    resource "vault_policy" "client" {
      name   = "${global.name}-policy"
      policy = tm_ternary(global.suspended, let.denied, "${let.allowed}${let.shared}")
    }

    tm_dynamic "resource" {
      labels    = ["vault_aws_auth_backend_role", "client"]
      condition = !global.suspended
      attributes = tm_merge({
        backend                  = "aws"
        role                     = global.vault_role
        auth_type                = "iam"
        bound_iam_principal_arns = ["arn:aws:iam::${global.account_id}:role/${global.role_name}"]
        resolve_aws_unique_ids   = false
        token_ttl                = 3600
        token_max_ttl            = 14400
      }, global.login)
      content {
        token_policies = [vault_policy.client.name]
      }
    }
  }
}

generate_hcl "aws.tf" {
  condition = global.aws_role == "create"

  content {
    data "aws_iam_policy_document" "client" {
      statement {
        sid     = "WorkloadAssumesItsRole"
        effect  = "Allow"
        actions = ["sts:AssumeRole"]

        principals {
          type        = "Service"
          identifiers = global.services
        }
      }
    }

    tm_dynamic "resource" {
      labels = ["aws_iam_role", "client"]
      attributes = tm_merge({
        name                 = global.role_name
        path                 = global.aws_path
        description          = "Logs in to HCP Vault as ${global.vault_role}"
        permissions_boundary = global.boundary
        max_session_duration = global.max_session
      }, global.aws_tags)
      content {
        assume_role_policy = data.aws_iam_policy_document.client.json
      }
    }

    tm_dynamic "resource" {
      labels    = ["aws_iam_instance_profile", "client"]
      condition = global.profile != "none"
      attributes = tm_merge({
        name = global.profile
        path = global.aws_path
      }, global.aws_tags)
      content {
        role = aws_iam_role.client.name
      }
    }
  }
}
