"""What do the records of other platforms have in common, and what is in OpenTelemetry's batches?

In: the bytes of one record. Out: its parts, in the words of the contract, or a refusal with its reason; never an
exception, whatever a record holds. `mapped` makes a request of fields, `mended` reads around what cannot be read,
`capabilities` tells them by shape, `otlp` unfolds a batch. Which field is which, a mapping says (stream/mapping).

May never touch: the text of a prompt or a completion, files, the configuration.
"""
