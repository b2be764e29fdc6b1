# Plain Terraform: one root for the whole fleet, straight from the manifests. It has no files per client, and no AWS side,
# which would need a provider for each account.
terraform {
  required_version = ">= 1.11"

  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = ">= 5.9, < 6"
    }
  }
}

provider "vault" {
  # Planning what is new asks the server nothing but these.
  address                = "http://127.0.0.1:1"
  token                  = "none"
  skip_child_token       = true
  skip_get_vault_version = true
}

locals {
  manifests = [
    for name in fileset("${path.module}/clients", "**/*.yaml") : yamldecode(file("${path.module}/clients/${name}"))
    if !startswith(name, "accounts/")
  ]
  clients = { for client in local.manifests : client.name => client if !can(client.retire) }
  active  = { for name, client in local.clients : name => client if !can(client.suspend) }
}

resource "vault_policy" "client" {
  for_each = local.clients

  name = "${each.key}-policy"
  policy = can(each.value.suspend) ? join("\n", [
    for place in concat(["metadata/certs/${each.value.account_id}/${each.value.role_name}"], [
      for area in ["data", "metadata", "delete", "undelete", "destroy", "subkeys"] :
      "${area}/certs/${each.value.account_id}/${each.value.role_name}/*"
    ]) : "path \"secret/${place}\" { capabilities = [\"deny\"] }"
    ]) : join("\n", [
    for place in concat(["certs/${each.value.account_id}/${each.value.role_name}"], try(each.value.grants[*].path, [])) :
    <<-EOT
      path "secret/data/${place}/*" { capabilities = ["read", "list"] }
      path "secret/metadata/${place}/*" { capabilities = ["list", "read"] }
    EOT
  ])
}

locals {
  ttl = { "15m" = 900, "20m" = 1200, "30m" = 1800, "1h" = 3600 }
}

resource "vault_aws_auth_backend_role" "client" {
  for_each = local.active

  backend                  = "aws"
  role                     = try(each.value.vault.role, each.value.role_name)
  auth_type                = "iam"
  bound_iam_principal_arns = ["arn:aws:iam::${each.value.account_id}:role/${each.value.role_name}"]
  resolve_aws_unique_ids   = try(each.value.vault.resolve_unique_ids, false)
  inferred_entity_type     = can(each.value.vault.ec2) ? "ec2_instance" : null
  inferred_aws_region      = try(each.value.vault.ec2.region, null)
  bound_vpc_ids            = try(each.value.vault.ec2.vpc_ids, null)
  token_policies           = ["${each.key}-policy"]
  token_ttl                = local.ttl[try(each.value.vault.token_ttl, "1h")]
  token_max_ttl            = 14400
  token_bound_cidrs        = try(each.value.vault.token_bound_cidrs, null)
}
