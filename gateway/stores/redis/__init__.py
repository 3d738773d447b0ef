"""Replies and flights in Redis or Valkey, shared by any number of gateways."""
