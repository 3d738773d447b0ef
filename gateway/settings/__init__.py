"""What the operator decides: the model of config.yaml, its loading, and what may change while running.

`model.Settings` is the frozen value that the rest of the gateway reads; `loading` is the only way to one from
a file and an environment. Nothing here opens a connection, reads a token or looks at the clock.
"""
