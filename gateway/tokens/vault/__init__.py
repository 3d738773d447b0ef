"""Tokens kept in HashiCorp Vault or OpenBao: the KV store, version 2."""
