"""Dashboards as Grafana reads them, by its own builders (the extra `dashboards`).

The only folder that knows the library, and Grafana's words for things.
"""
