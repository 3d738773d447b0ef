"""What is looked at from outside: Grafana dashboards and Prometheus rules as values, and the files of them.

A dashboard, a group of rules and a panel are frozen values; each dashboard is a file. They are held against
what the gateway exports when they are made: a metric or a label that does not exist is an error here, not an
empty panel there. Only `rendering` knows Grafana's format (the extra `dashboards`). Refuses to be part of the
serving process: `gateway dashboards` and the tests are all that import it.
"""
