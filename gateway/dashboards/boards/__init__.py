"""The dashboards, a file each; what an operator looks for first stands first."""
