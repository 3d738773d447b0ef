"""The platform's methods by family: what each does to the state. `methods` has the table of them all.

A handler takes the state, the parameters and the context, and returns the fields of its reply; `ApiError`
ends it with another code. It checks all it needs before its first change, and never awaits.
"""
