"""Exported metrics that no panel and no rule uses, each with the reason.

A metric that is neither used nor listed here fails a test: either it answers a question that somebody has,
and then a panel asks it, or it says here why not.
"""

UNSHOWN = {
    "process_virtual_memory_bytes": "what is reserved says little; process_resident_memory_bytes is shown",
}
