# What applies the root `platform/`, beside what runner-vault.hcl grants: `crosskeys apply --side platform`.
#
# "aws" is vault.auth_mount of crosskeys.yaml, "secret" is vault.kv_mount. Needed once, and whenever the settings
# `platform` or `vault` change: give it to a person for that long, not to the runner.

# whether the mounts are there already
path "sys/auth" { capabilities = ["read"] }
path "sys/mounts" { capabilities = ["read"] }

# platform.auth_mount: Vault asks for sudo where auth methods are enabled
path "sys/auth/aws" { capabilities = ["update", "sudo"] }

# platform.client_config
path "auth/aws/config/client" { capabilities = ["create", "update"] }
path "auth/aws/config/identity" { capabilities = ["update"] }

# platform.kv_mount
path "sys/mounts/secret" { capabilities = ["update"] }
