"""Which address answers what? Pages and forms for people, the API and events for programs.

In: a request that `door` let in. Out: what `shown` knows, rendered here; a person's word, through `actions`.

Each address of the API stands in `openapi`, and a test holds it to what is served. May never touch: the fleet itself,
and records of the contract but through the desk.
"""
