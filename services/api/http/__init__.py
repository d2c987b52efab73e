"""What every request passes: authentication, problems, paging, tracing, metrics and health."""
