"""What Prometheus computes beforehand, and what it wakes somebody for."""
