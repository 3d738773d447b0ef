"""Tables: several queries side by side, a row for each combination of labels."""

from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, dashboard, table
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from gateway.dashboards.panels import Column, Table
from gateway.dashboards.rendering.thresholds import thresholds_of


def table_of(panel: Table) -> table.Panel:
    """Queries are merged into one row for each combination of labels; Grafana calls their values `Value #A`,
    that of a single query `Value`."""
    single = len(panel.queries) == 1
    headings = {
        "Value" if single else f"Value #{letter}": query.legend
        for letter, query in zip(ascii_uppercase, panel.queries, strict=False)
    }
    hidden = {name for name, heading in headings.items() if heading in panel.hidden}
    order = [
        next((name for name, text in headings.items() if text == column.heading), column.heading)
        for column in panel.columns
    ]
    made = (
        table.Panel()
        .show_header(True)
        .cell_height(common_models.TableCellHeight.SM)
        .filterable(False)
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .sort_by(
            [
                common.TableSortByFieldState()
                .display_name(panel.sorted_by)
                .desc(panel.sorted_by in headings.values())
            ]
        )
        .with_transformation(models.DataTransformerConfig("merge", options={}))
        .with_transformation(
            models.DataTransformerConfig(
                "organize",
                options={
                    "excludeByName": dict.fromkeys(("Time", *sorted(hidden)), True),
                    "indexByName": {name: index for index, name in enumerate(order)},
                    "renameByName": {name: text for name, text in headings.items() if name not in hidden},
                },
            )
        )
    )
    for column in panel.columns:
        if properties := _properties(column):
            made.override_by_name(column.heading, properties)
    return made


def _properties(column: Column) -> list[models.DynamicConfigValue]:
    found = []
    if column.unit is not None:
        found.append(models.DynamicConfigValue("unit", column.unit))
    if column.steps:
        found.append(models.DynamicConfigValue("thresholds", thresholds_of(column.steps).build()))
        found.append(models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    if column.link:
        link = {"title": "Show ${__value.text}", "url": column.link}
        found.append(models.DynamicConfigValue("links", [link]))
    return found
