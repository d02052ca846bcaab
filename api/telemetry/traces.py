"""Traces, by setting: spans of requests and of the worker's steps, sent by OTLP over HTTP.

Without the setting nothing is collected, and OpenTelemetry's SDK need not be installed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace

from api.errors import Misconfigured

_TRACER = trace.get_tracer("rentroll")


@contextmanager
def traced(process: str, url: str | None) -> Iterator[None]:
    """Send spans of this process until the block ends; those that wait are sent at its end.

    Args:    url: of a collector, such as http://127.0.0.1:4318; None collects nothing.
    Raises:  Misconfigured without the extra `rentroll[otel]`.
    """
    if url is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise Misconfigured("traces need OpenTelemetry: install `rentroll[otel]`") from error
    named = {"service.name": f"rentroll-{process}", "service.version": version("rentroll")}
    provider = TracerProvider(resource=Resource.create(named))
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


@contextmanager
def span(name: str, **about: str | int) -> Iterator[None]:
    """One step of work, by name, with what it is about."""
    attributes = {f"rentroll.{key}": value for key, value in about.items()}
    with _TRACER.start_as_current_span(name, attributes=attributes):
        yield
