"""A stand-in for the platform, for the demo, the tests and users' own integration tests.

It is an independent oracle: it shares no code with the gateway, so a mistake in the gateway's codec cannot
hide behind the same mistake here. Where the platform's documentation is silent, docs/reference/sandbox.md
says what was assumed.
"""
