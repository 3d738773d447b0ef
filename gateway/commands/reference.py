"""The page docs/reference/commands.md, made from the commands' own help so that it cannot say something else.

A test compares. To renew it:

    >>> Path("docs/reference/commands.md").write_text(page(commands))
"""

from collections.abc import Iterator

import click

HEAD = """# Commands

`gateway` and `python -m gateway` are the same. Made from the commands' own `--help`.

Exit codes: 0 all is well; 1 refused, and one plain line on the standard error says why; 130 interrupted.
"""


def page(group: click.Group) -> str:
    """The whole page, a section for each command."""
    return "\n".join([HEAD, *_sections(group)])


def _sections(group: click.Group) -> Iterator[str]:
    with click.Context(group, info_name="gateway", **group.context_settings) as parent:
        for name in sorted(group.commands):
            command = group.commands[name]
            with click.Context(command, info_name=name, parent=parent, max_content_width=100) as context:
                yield f"## `gateway {name}`\n\n```\n{command.get_help(context)}\n```\n"
