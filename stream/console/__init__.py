"""What is going on, for people with a browser and for programs: pages, an API, health, metrics.

    shown   the read model and what is drawn from it; knows no request
    routes  pages, forms, the API and its description, events; one file each, and the site of them all

In: every tick's judgement, copied (`shown.view`). Out: HTML that is whole without JavaScript, JSON, server-sent events,
`/metrics`, `/livez`, `/readyz`. `door` says who may come in, and whether a form may be believed.

May never touch: the state that judges. What somebody says goes to the `voice` and comes back with a tick.
"""
