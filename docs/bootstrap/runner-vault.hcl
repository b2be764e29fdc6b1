# What plans a fleet and applies its `vault/` roots: `crosskeys plan` and `apply`.
#
# "aws" is vault.auth_mount of crosskeys.yaml, "secret" is vault.kv_mount. Write it in the fleet's own namespace, under a
# name that the rule for policies below does not match. Whoever has a token with it can write a policy that grants
# anything in this namespace, and a role that logs in with it: README.md says what limits that.

# who may log in, and as whom
path "auth/aws/role/*" { capabilities = ["create", "read", "update", "delete"] }

# into which accounts Vault looks, and by which role; not needed while no account has `sts`
path "auth/aws/config/sts/*" { capabilities = ["create", "read", "update", "delete"] }

# what a login may do; narrower where the fleet's policies share a beginning, as "sys/policies/acl/client-*" with
# `vault: {policy: "client-{name}"}` in crosskeys.yaml
path "sys/policies/acl/*" { capabilities = ["read", "update", "delete"] }

# the Vault provider works with a child of the runner's token, which it revokes at the end
path "auth/token/create" { capabilities = ["update"] }

# only where Terraform manages the platform: its root is planned with the others, and not changed
path "auth/aws/config/client" { capabilities = ["read"] }
path "auth/aws/config/identity" { capabilities = ["read"] }
path "sys/mounts/auth/aws" { capabilities = ["read"] }
path "sys/mounts/auth/aws/tune" { capabilities = ["read"] }
path "sys/mounts/secret" { capabilities = ["read"] }
