resource "vault_aws_auth_backend_sts_role" "retail" {
  account_id = "210987654321"
  sts_role   = "arn:aws:iam::210987654321:role/vault/lookup"
}

resource "vault_policy" "rotate" {
  name   = "rotate"
  policy = "path \"secret/data/shared/ca\" {\n  capabilities = [\"read\"]\n}\n\npath \"secret/metadata/shared/+\" { capabilities = [\"list\"] }\n"
}
