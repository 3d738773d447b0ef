"""Spans: what a call was, told to a collector. Only `otlp` loads OpenTelemetry, once tracing is on."""
