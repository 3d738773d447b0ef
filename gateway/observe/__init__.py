"""What we say: metrics and log. All of it is read from the records of `gateway.records`."""
