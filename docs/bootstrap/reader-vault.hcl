# What reads the fleet's side of Vault and changes nothing: `crosskeys verify`, `import` and `doctor`.
#
# "aws" is vault.auth_mount of crosskeys.yaml, "secret" is vault.kv_mount. Write it in the fleet's own namespace. No
# certificate can be read with it, and no login is made possible by it.

# who may log in, and as whom
path "auth/aws/role/*" { capabilities = ["read", "list"] }

# into which accounts Vault looks, and by which role
path "auth/aws/config/sts/*" { capabilities = ["read", "list"] }

# how the method calls AWS, and what it makes of a login; Vault never answers with the secret key
path "auth/aws/config/client" { capabilities = ["read"] }
path "auth/aws/config/identity" { capabilities = ["read"] }

# what a login may do; "default" is among them, which every token has
path "sys/policies/acl/*" { capabilities = ["read", "list"] }

# that the mounts are there, and of which type and version
path "sys/auth" { capabilities = ["read"] }
path "sys/mounts" { capabilities = ["read"] }

# to whom Vault's identity gives policies beside what they log in with
path "identity/group/id/*" { capabilities = ["read", "list"] }
path "identity/entity/id/*" { capabilities = ["read", "list"] }
