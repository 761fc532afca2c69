"""What does an OpenTelemetry SDK or collector send us, and what may it forget? The receiver of OTLP over HTTP.

In: `POST /v1/traces` and `/v1/logs`, in protobuf or JSON (`otlp_http`). Out: requests as lines of our own form, kept on
disk or in memory (`inbox`) before the sender hears 200, and `answers` in the sender's encoding.

May never touch: the text of a prompt or a completion, detection, the sinks.
"""
