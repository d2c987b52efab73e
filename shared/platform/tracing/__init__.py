"""Traces by OpenTelemetry: the tracer of a process, and the one that exports."""
