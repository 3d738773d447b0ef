"""A dashboard's file: its choices, marks and links, and the panels in their rows."""

import json

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from gateway.dashboards.annotations import ANNOTATIONS, Annotation
from gateway.dashboards.panels import Dashboard
from gateway.dashboards.rendering.panel import SOURCE, panel_of
from gateway.dashboards.variables import ALL, INSTANCE, JOB, VARIABLES, Variable

TAG = "platform-gateway"


def render(board: Dashboard) -> str:
    """The content of the file: Grafana's classic JSON."""
    built = json.loads(JSONEncoder(sort_keys=True).encode(_dashboard(board).build()))
    for annotation, shown in zip(built["annotations"]["list"], ANNOTATIONS, strict=True):
        # Grafana's own model of an annotation lacks what its Prometheus source reads.
        annotation |= {"titleFormat": shown.title, "step": "30s"}
    return json.dumps(built, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _dashboard(board: Dashboard) -> dashboard.Dashboard:
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.question)
        .tags([TAG])
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .link(_links())
        .annotations([_annotation(annotation) for annotation in ANNOTATIONS])
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in (JOB, INSTANCE, *(VARIABLES[name] for name in board.variables)):
        made.with_variable(_variable(variable))
    number = 0
    for row in board.rows:
        number += 1
        made.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made.with_panel(panel_of(panel, board).id(number))
    return made


def _links() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Gateway")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )


def _annotation(shown: Annotation) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(shown.name)
        .datasource(SOURCE)
        .enable(True)
        .icon_color(shown.color)
        .expr(shown.expr)
    )


def _variable(variable: Variable) -> dashboard.QueryVariable | dashboard.CustomVariable:
    made: dashboard.QueryVariable | dashboard.CustomVariable
    if variable.is_query:
        made = (
            dashboard.QueryVariable(variable.name)
            .datasource(SOURCE)
            .query(variable.source)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
            .multi(True)
        )
    else:
        made = dashboard.CustomVariable(variable.name).values(variable.source)
    if variable.has_all:
        made.current(models.VariableOption(selected=True, text="All", value="$__all"))
    return made.label(variable.label).description(variable.text).include_all(variable.has_all).all_value(ALL)
