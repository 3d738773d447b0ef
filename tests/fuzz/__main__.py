"""`python -m tests.fuzz TARGET [libFuzzer's options]`: atheris gives bytes to one of the properties.

It looks for bytes that reach new code, and stops at the first that break the property, which it leaves in a
file. Without a target it lists them.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway.codec", "gateway.policy", "gateway.headers"]):
    from tests.fuzz import properties

SEEDS = Path(__file__).parent / "corpus" / "seeds"


def main(arguments: list[str]) -> None:
    if not arguments or arguments[0] not in properties.TARGETS:
        sys.exit(f"one of: {' '.join(properties.TARGETS)}")
    check = properties.TARGETS[arguments[0]]

    def one(data: bytes) -> None:
        check(data)

    atheris.Setup([sys.argv[0], *arguments[1:], str(SEEDS)], one)
    atheris.Fuzz()


main(sys.argv[1:])
