"""What does each key of the configuration mean? One sentence a key, for `swerve config show --explain` and the docs."""

from __future__ import annotations

from collections.abc import Mapping

from stream.configuration.sections import KINDS_OF_SINKS, NAMES_OF_SINKS

SECTIONS: Mapping[str, str] = {
    "kafka": "The connection to Kafka, and what the stages need of it.",
    "kafka.topics": "Names of the topics; each needs its own.",
    "kafka.groups": "Consumer groups of the stages.",
    "http": "Where metrics, health and console are served.",
    "sources": "How the records are written.",
    "privacy": "What may be held behind ingest: see [operating.md](operating.md#names-instead-of-accounts).",
    "detection": "How it judges. The defaults serve every scenario that is shipped; change one at a time and replay.",
    "dimensions": "What the attributes of a request mean.",
    "ticks": "Time: `*_ms` are event time, `*_s` seconds on the wall.",
    "limits": "Bounds of what is kept. Reaching one is counted.",
    "allow": "Subjects that never page.",
    "drift": "Series to be told about as `info`, one `[[drift]]` each, 200 at most: a cohort's hourly share of a "
    "target, with a drift detector of [river](https://riverml.xyz) on it.",
    "sinks": f"Where alerts go, one `[[sinks]]` each; kind is one of {', '.join(NAMES_OF_SINKS)}.",
}


def _having(key: str, default: object = None) -> str:
    """The kinds of sinks that have this key, with this default where one is asked for."""
    kinds = zip(NAMES_OF_SINKS, KINDS_OF_SINKS, strict=True)
    found = [(name, kind.model_fields[key].default) for name, kind in kinds if key in kind.model_fields]
    return ", ".join(name for name, one in found if default in (None, one))


KEYS: Mapping[str, str] = {
    "kafka.bootstrap_servers": "Brokers to begin with, as host:port, separated by commas.",
    "kafka.client_id": "How Swerve names itself to the brokers.",
    "kafka.security_protocol": "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
    "kafka.sasl_mechanism": "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, where the protocol has SASL.",
    "kafka.sasl_username": "Who logs in.",
    "kafka.sasl_password": "With which password; better in the environment than in the file.",
    "kafka.ssl_cafile": "Certificates (PEM) that the brokers' are checked against, instead of the system's.",
    "kafka.ssl_certfile": "Our own certificate (PEM), where the brokers ask for one.",
    "kafka.ssl_keyfile": "The key (PEM) of our own certificate.",
    "kafka.partitions": "Partitions of the frames topic: the most detect workers there can be; see `swerve reshard`.",
    "kafka.replication_factor": "Copies of each topic that `swerve topics create` asks for.",
    "kafka.session_timeout_ms": "After so long without a sign, a worker of ingest or detect counts as dead.",
    "kafka.correlate_session_timeout_ms": "The same for correlate, whose standby shall take over quickly.",
    "kafka.request_timeout_ms": "After so long without an answer, a request to a broker counts as failed.",
    "kafka.flush_ms": "How often ingest sends a frame.",
    "kafka.snapshot_ms": "How often detect and correlate store their state.",
    "kafka.stop_ms": "So long after SIGTERM, or a failure, a worker leaves though the broker took not all: less than "
    "what systemd, Docker or Kubernetes wait before they kill.",
    "kafka.instance_id": "Name of this worker that outlives restarts: back within the session, nothing is rebalanced.",
    "kafka.topics.requests": "Input: the request records.",
    "kafka.topics.releases": "Input, compacted: the model catalogue, keyed by model.",
    "kafka.topics.expected": "Input, compacted: expected shifts, keyed by id.",
    "kafka.topics.verdicts": "Input, compacted: what alerts turned out to be, keyed by alert_id.",
    "kafka.topics.attention": "Internal, compacted: who has an alert, until when it is quiet, notes.",
    "kafka.topics.frames": "Internal: requests in columns.",
    "kafka.topics.summaries": "Internal: counts of each tick.",
    "kafka.topics.alerts": "Output, compacted: alert records, keyed by alert_id.",
    "kafka.topics.dlq": "Output: refused records as they came, with the reason.",
    "kafka.groups.ingest": "Group of the ingest workers.",
    "kafka.groups.detect": "Group of the detect workers.",
    "kafka.groups.correlate": "Group of the correlate workers.",
    "http.host": "Address to bind. Beyond loopback it starts only with a token or behind a trusted proxy.",
    "http.port": "Port; ingest takes 8322 and detect 8323 where this one is not set. 0 takes any free one.",
    "http.token": "Whoever asks must present it, 16 characters or more; better in the environment than in the file.",
    "http.trusted_proxy_header": "Header in which a proxy in front says who asks; only where nobody can pass by it.",
    "http.public_url": "How people reach the console; links in alerts begin with it.",
    "sources.dialect": "How records are written: swerve is our own JSON; the others, and [map], are on mapping.md.",
    "privacy.key": "Accounts and values are known by a keyed hash alone; 16 characters or more, better in the "
    "environment than in the file. Another key makes every account a new one.",
    "detection.fast_window_h": "Hours that count as now: light accounts need a day before they show a mix, "
    "and no more than a day is kept hour by hour.",
    "detection.slow_half_life_h": "After so many hours the past counts half.",
    "detection.forget_after_h": "An account without a request for so long is dropped.",
    "detection.requests_min": "An account with fewer requests in the fast window has no mix yet.",
    "detection.shrink_requests": "Weight, in requests, of what is usual when an account has little past of its own.",
    "detection.value_organisations_max": "A value that more organisations use is popular: a group shares it only where "
    "it carries it five times as often as everybody else.",
    "detection.popular_share_max": "Who shares a value that a larger part of all organisations use is no company.",
    "detection.carried_h": "How long a carried value counts.",
    "detection.group_organisations_min": "A group of fewer organisations is not followed.",
    "detection.split_resolution": "How finely accounts that moved in company are split into networks; lower gives "
    "fewer, larger ones.",
    "detection.candidate_organisations_min": "A group of fewer organisations raises no alert.",
    "detection.warm_up_h": "Before so much history only a model that is new may fire.",
    "detection.false_pages_per_month": "False pages accepted in 30 days: a lower number raises the log-odds of one "
    "operator's hand that a page needs. Pages judged harmless count against it.",
    "detection.false_warnings_per_month": "The same for warnings that no operator is behind; a warning never needs "
    "more than a page.",
    "detection.page_z": "Strength in standard errors, of a crowd that moves in company and of a network's shift, below "
    "which nobody asks whether one operator is behind it.",
    "detection.ticks_min": "On how many ticks the evidence must hold.",
    "drift.dimension": "Dimension of the cohort; one of `[dimensions] cohort`.",
    "drift.value": "Which cohort of it.",
    "drift.target": "Toward what: `model:NAME` or `capability:NAME`.",
    "drift.detector": "`ADWIN`, `KSWIN` or `PageHinkley`, as river has them.",
    "drift.settings": "Parameters of the detector by river's names, as `{ delta = 0.002 }`; else river's own.",
    "detection.watch_rows": "Rows of the [watch list](how-it-decides.md#9-the-watch-list), which never pages.",
    "detection.clock_vote": "Whether work round the clock may count as evidence for one operator.",
    "dimensions.link": "Attributes whose rare values say which accounts of different organisations belong together.",
    "dimensions.cohort": "Attributes whose values are judged as cohorts.",
    "dimensions.org": "The attribute that names the customer's organisation.",
    "dimensions.country": "The attribute that names the country.",
    "dimensions.signup": "The attribute that names the week of signing up.",
    "dimensions.payment": "What the payment is called; one customer, however many accounts, pays by it.",
    "dimensions.exit": "What the network that a request comes from is called.",
    "dimensions.prompt": "What the hash of a prompt's stable part is called; it ties best.",
    "ticks.tick_ms": "Cohorts are judged this often.",
    "ticks.network_tick_ms": "Networks are judged this often; a multiple of tick_ms that divides a day.",
    "ticks.lateness_ms": "How far behind its source's clock a request may be and still counts.",
    "ticks.idle_s": "A source without a record for so long holds time back no more.",
    "ticks.missing_shard_s": "How long correlate waits for a silent detect worker before it judges without it.",
    "limits.memory_mb": "Memory that a process may take, in MB; 0 is what its cgroup allows, or the machine has. Its "
    "state holds fewer accounts and memberships than the bounds where they would take more.",
    "limits.accounts_max": "Accounts that are remembered; over it new ones are left out, and those go of whom least "
    "can be said.",
    "limits.targets_max": "Models and capabilities told apart, 16 or more; of more, those that most accounts use.",
    "limits.cohorts_max": "Values of the cohort dimensions that are told apart; of more, those with most accounts.",
    "limits.dlq_per_s": "Refused records a second that are kept in the dead-letter topic; beyond, they are counted.",
    "allow.orgs": "Organisations by name.",
    "allow.values": 'Other values, as "dimension=value".',
    "sinks.kind": f"One of {', '.join(NAMES_OF_SINKS)}.",
    "sinks.name": "Its name in metrics and logs, by default its kind; each needs its own.",
    "sinks.severity_min": f"The least severity; by default info ({_having('severity_min', 'info')}), "
    f"critical ({_having('severity_min', 'critical')}), else warning.",
    "sinks.path": f"{_having('path')}: where to append.",
    "sinks.urls": f"{_having('urls')}: every member of its cluster.",
    "sinks.resend_s": f"{_having('resend_s')}: how often what fires is sent again.",
    "sinks.watchdog": f"{_having('watchdog')}: also send an alert that always fires, to prove the way to a person.",
    "sinks.url": f"{_having('url')}: where to post.",
    "sinks.secret": f"{_having('secret')}: signs each post with HMAC-SHA256.",
    "sinks.template": f"{_having('template')}: a file with a template of the body, instead of the alert record.",
    "sinks.token": f"{_having('token')}: of a service account that may write annotations.",
    "sinks.routing_key": f"{_having('routing_key')}: the key of the service's integration.",
    "sinks.timeout_s": "After so long without an answer, an attempt counts as failed.",
}
