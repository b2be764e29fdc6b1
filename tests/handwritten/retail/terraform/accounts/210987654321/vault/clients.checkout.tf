/*
 * checkout and its nightly job share a file; the job's tokens are short.
 */
resource "vault_aws_auth_backend_role" "checkout_login" {
  role                     = "Checkout" # Vault keeps it in lower case
  resolve_aws_unique_ids   = false
  token_policies           = [vault_policy.checkout_certs.name, "default"]
  bound_iam_principal_arns = ["arn:aws:iam::210987654321:role/checkout"]

  token_max_ttl = 7200
  token_ttl     = 3600
}

resource vault_aws_auth_backend_role nightly {
  backend   = "aws/"
  auth_type = "iam"
  role      = "checkout-nightly"

  bound_iam_principal_arns = [
    "arn:aws:iam::210987654321:role/checkout-nightly", # the batch account's copy
  ]
  resolve_aws_unique_ids = false

  inferred_entity_type = "ec2_instance"
  inferred_aws_region  = "eu-west-1"
  bound_account_ids    = ["210987654321"]
  bound_regions        = ["eu-west-1"]
  bound_iam_role_arns  = ["arn:aws:iam::210987654321:role/checkout-nightly"]
  bound_iam_instance_profile_arns = ["arn:aws:iam::210987654321:instance-profile/nightly/"]

  token_no_default_policy = true
  token_period            = 600
  token_explicit_max_ttl  = 1200
  token_num_uses          = 20
  token_type              = "service"
  token_policies          = ["checkout-nightly", vault_policy.checkout_certs.id]
}

resource "vault_policy" "checkout_certs" {
  policy = <<EOT
# KV version 2: the data and its listing
path "secret/data/certs/210987654321/checkout/*" {
  capabilities = ["read"] // no list under data/
}

path "secret/metadata/certs/210987654321/checkout/*" { capabilities = ["list"] }
EOT
  name   = "Checkout-Certs"
}

resource "vault_policy" "nightly" {
  name = "checkout-nightly"
  policy = <<-POLICY
      path "secret/data/certs/210987654321/checkout-nightly/current"   {
        capabilities = [
          "read",
        ]
      }
  POLICY
}
