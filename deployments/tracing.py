"""Traces of photos through the graph, for a collector that speaks OpenTelemetry's OTLP.

Ray's own tracing (``tracing_config``) was left out: it forgets the decision not to sample at each
hop, so that with a share below 1 the trace of a photo is in pieces (``router.assign_request`` of
Ray 2.60 passes no context on for an unsampled span); it knows neither batches nor waits; and it
cannot be changed while Serve runs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from deployments.settings import Tracing

PACKAGE = "opentelemetry.exporter.otlp"
"""What the extra ``tracing`` brings, and nothing else does."""
_W3C = TraceContextTextMapPropagator()
_OFF = trace.NoOpTracer()
_tracer: trace.Tracer = _OFF


def start(settings: Tracing | None, deployment: str) -> None:
    """Begins to trace in this process, where the settings say so. To be called once by each replica
    before it works. Raises ImportError where the extra ``tracing`` is missing.
    """
    global _tracer
    if settings is None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    # Not the process's own provider, which is Ray's to set.
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.sampled_share),
        resource=Resource.create({"service.name": "idphoto-serve", "deployment": deployment}),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.otlp_url)))
    _tracer = provider.get_tracer("idphoto-serve")


@contextmanager
def span(
    name: str, carrier: Mapping[str, str] | None = None, *, serves: bool = True
) -> Iterator[trace.Span]:
    """A span around the body. Its parent is in ``carrier``, the headers of W3C's Trace Context, or
    else the current one. ``serves``: it answers a call.
    """
    parent = _W3C.extract(dict(carrier)) if carrier and _tracer is not _OFF else None
    with _tracer.start_as_current_span(
        name, parent, SpanKind.SERVER if serves else SpanKind.INTERNAL, record_exception=False
    ) as found:
        yield found


def carried() -> dict[str, str]:
    """The headers that make the current span the parent of one elsewhere; none without a span."""
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers


def tell(**attributes: str | float | bool) -> None:
    """Adds to the current span, under ``idphoto.``."""
    current = trace.get_current_span()
    if current.is_recording():
        current.set_attributes({f"idphoto.{name}": value for name, value in attributes.items()})


def trace_id() -> str | None:
    """The current trace's id as W3C writes it, where it is recorded."""
    current = trace.get_current_span()
    if not current.is_recording():
        return None
    return trace.format_trace_id(current.get_span_context().trace_id)
