"""What Grafana and Prometheus have to be told to find dashboards, data and rules."""

from gateway.dashboards.rules.process import JOB

SCRAPE_INTERVAL = "15s"

DATASOURCE = {
    "apiVersion": 1,
    "datasources": [
        {
            "name": "Prometheus",
            "uid": "prometheus",
            "type": "prometheus",
            "access": "proxy",
            "url": "http://prometheus:9090",
            "isDefault": True,
            # Grafana takes at least four of these for $__rate_interval.
            "jsonData": {"httpMethod": "POST", "timeInterval": SCRAPE_INTERVAL},
        }
    ],
}

PROVIDER = {
    "apiVersion": 1,
    "providers": [
        {
            "name": "gateway",
            "folder": "Gateway",
            "type": "file",
            "disableDeletion": True,
            "allowUiUpdates": False,
            "options": {"path": "/var/lib/grafana/dashboards"},
        }
    ],
}

PROMETHEUS = {
    "global": {"scrape_interval": SCRAPE_INTERVAL, "evaluation_interval": SCRAPE_INTERVAL},
    "rule_files": ["rules/*.yml"],
    "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]},
    "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": ["gateway:8080"]}]}],
}
