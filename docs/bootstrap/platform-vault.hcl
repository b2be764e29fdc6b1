# What applies the root `platform/`, beside what runner-vault.hcl grants: `crosskeys apply --side platform`.
#
# "aws" is vault.auth_mount of crosskeys.yaml, "secret" is vault.kv_mount. Needed once, and whenever the settings
# `platform` or `vault` change: give it to a person for that long, not to the runner.

# platform.auth_mount: Vault asks for sudo where auth methods are enabled
path "sys/auth" { capabilities = ["read"] }
path "sys/auth/aws" { capabilities = ["create", "read", "update", "sudo"] }

# platform.client_config
path "auth/aws/config/client" { capabilities = ["create", "read", "update"] }
path "auth/aws/config/identity" { capabilities = ["read", "update"] }

# platform.kv_mount
path "sys/mounts" { capabilities = ["read"] }
path "sys/mounts/secret" { capabilities = ["create", "read", "update"] }
