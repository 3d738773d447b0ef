"""Background tasks: started by some methods, watched by tasks/status, their files fetched by download."""

from collections.abc import Callable

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.records import Task
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params

DOWNLOADS = "/api/download/data/"


def start(
    state: State, context: Context, kind: str, work: Callable[[], Fields], source_id: int | None = None
) -> Fields:
    """Notes the task; its work is done when it is due, so that a read before still sees the old state."""
    task = Task(
        id=state.hex_id(24),
        type=kind,
        started=context.now,
        due=context.now + context.task_seconds,
        work=work,
        source_id=source_id,
    )
    state.tasks[task.id] = task
    return {"data": {"task_id": task.id}}


def status(state: State, params: Params, context: Context) -> Fields:
    task = state.tasks.get(params.text("task_id"))
    if task is None:
        raise ApiError(Code.NOT_FOUND, "no such task")
    if task.result is None:
        progress = int(100 * (context.now - task.started) / (task.due - task.started))
        return {"data": {"status": "running", "progress": min(max(progress, 0), 99), "result": None}}
    empty: Fields = {"errors": [], "source_id": task.source_id, "total": 0, "type": task.type, "urls": []}
    return {"data": {"status": "done", "progress": 100, "result": empty | task.result}}
