"""A local HTTP gateway in front of a third-party platform's API."""

__version__ = "0.1.0"
