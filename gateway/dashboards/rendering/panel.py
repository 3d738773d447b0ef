"""Panels: what each kind of them looks like, and what all have in common."""

import re
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models import prometheus as prometheus_models

from gateway.dashboards.panels import BLUE, Dashboard, Heat, Lines, Panel, Stat, States, Table, Word
from gateway.dashboards.rendering.table import table_of
from gateway.dashboards.rendering.thresholds import thresholds_of
from gateway.dashboards.variables import VARIABLES

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Whatever is chosen at the top of the dashboard."""

AnyPanel = stat.Panel | timeseries.Panel | heatmap.Panel | statetimeline.Panel | table.Panel


def panel_of(panel: Panel, board: Dashboard) -> AnyPanel:
    made = _of_kind(panel)
    made.title(panel.title).description(_description(panel, board)).datasource(SOURCE)
    made.span(panel.width).height(panel.height).unit(panel.unit)
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        made.with_target(_target(panel, query.expr, query.legend, letter))
    if panel.decimals is not None:
        made.decimals(panel.decimals)
    if panel.empty:
        made.no_value(panel.empty)
    if panel.words:
        made.mappings([_mapping(panel.words)])
    if panel.steps or panel.words:
        made.thresholds(thresholds_of(panel.steps))
    return made


def _description(panel: Panel, board: Dashboard) -> str:
    """The question, and which choices at the top leave the panel as it is."""
    used = {name for query in panel.queries for name in re.findall(r"\$(\w+)", query.expr)}
    # The family only shortens the list of methods.
    idle = [VARIABLES[name].label for name in board.variables if name not in {*used, "family"}]
    return f"{panel.question}\n\nNot narrowed by {' or '.join(idle)}." if idle else panel.question


def _target(panel: Panel, expr: str, legend: str, letter: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(expr).ref_id(letter).datasource(SOURCE)
    match panel:
        case Table():
            return target.instant().format(prometheus_models.PromQueryFormat.TABLE).legend_format(legend)
        case Heat():
            return target.range().format(prometheus_models.PromQueryFormat.HEATMAP).legend_format(legend)
        case Lines(exemplars=True):
            return target.range().legend_format(legend).exemplar(True)
        case _:
            return target.range().legend_format(legend)


def _of_kind(panel: Panel) -> AnyPanel:
    match panel:
        case Stat():
            return _stat(panel)
        case Lines():
            return _lines(panel)
        case Heat():
            return _heat()
        case States():
            return _states()
        case Table():
            return table_of(panel)
    raise TypeError(f"no way to show a {type(panel).__name__}")


def _stat(panel: Stat) -> stat.Panel:
    colored = bool(panel.steps or panel.words)
    mode = models.FieldColorModeId.THRESHOLDS if colored else models.FieldColorModeId.FIXED
    return (
        stat.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .graph_mode(
            common_models.BigValueGraphMode.NONE if panel.words else common_models.BigValueGraphMode.AREA
        )
        .color_mode(common_models.BigValueColorMode.VALUE)
        .color_scheme(dashboard.FieldColor().mode(mode).fixed_color(BLUE))
    )


def _lines(panel: Lines) -> timeseries.Panel:
    many = any("{{" in query.legend for query in panel.queries)
    made = (
        timeseries.Panel()
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING if many else common_models.SortOrder.NONE)
        )
        .line_width(1)
        .fill_opacity(70 if panel.bars else 25 if panel.stacked else 8)
        .show_points(common_models.VisibilityMode.NEVER)
        .draw_style(common_models.GraphDrawStyle.BARS if panel.bars else common_models.GraphDrawStyle.LINE)
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .min(0)
    )
    if panel.stacked:
        made.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if panel.highest is not None:
        made.max(panel.highest)
    for legend, name in panel.names.items():
        made.override_by_name(legend, [models.DynamicConfigValue("displayName", name)])
    for legend, color in panel.colors.items():
        value = {"mode": "fixed", "fixedColor": color}
        made.override_by_name(legend, [models.DynamicConfigValue("color", value)])
    return made


def _heat() -> heatmap.Panel:
    """Every bucket of the histogram is a row, so Grafana has nothing to count."""
    return (
        heatmap.Panel()
        .calculate(False)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmap_models.HeatmapColorMode.SCHEME)
            .scheme("Blues")
            .scale(heatmap_models.HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(64)
        )
        .scale_distribution(common.ScaleDistributionConfig().type(common_models.ScaleDistribution.LINEAR))
        .cell_gap(1)
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .y_axis(heatmap.YAxisConfig().unit("s").axis_placement(common_models.AxisPlacement.LEFT))
        .rows_frame(heatmap.RowsHeatmapOptions().layout(common_models.HeatmapCellLayout.AUTO))
        .mode(common_models.TooltipDisplayMode.SINGLE)
        .show_y_histogram()
    )


def _states() -> statetimeline.Panel:
    return (
        statetimeline.Panel()
        .show_value(common_models.VisibilityMode.NEVER)
        .row_height(0.8)
        .merge_values(True)
        .fill_opacity(80)
        .line_width(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
    )


def _mapping(words: Mapping[int, Word]) -> models.ValueMap:
    results: dict[str, Any] = {
        str(number): models.ValueMappingResult(text=word.text, color=word.color, index=index)
        for index, (number, word) in enumerate(words.items())
    }
    return models.ValueMap(options=results)
