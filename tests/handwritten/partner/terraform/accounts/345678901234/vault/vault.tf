resource "vault_policy" "p" {
  name   = "partner-policy"
  policy = <<E
path "secret/data/certs/345678901234/partner/*" { capabilities = ["read", "list"] }
path "secret/metadata/certs/345678901234/partner/*" { capabilities = ["list", "read"] }
E
}
resource "vault_aws_auth_backend_role" "p" {
  backend = "aws"
  role = "partner"
  bound_iam_principal_arns = ["arn:aws:iam::345678901234:role/partner"]
  resolve_aws_unique_ids = false
  token_policies = ["partner-policy"]
}
