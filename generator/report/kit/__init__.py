"""What the owner of a client's account needs: its AWS side, Vault Agent's configuration, and how to use them."""
