"""A callback for a LiteLLM proxy: one line for Swerve a completed request, with the prompt's hash and none of its text.

    litellm_settings:
      callbacks: swerve_callback.swerve

Put this file beside the proxy's configuration. It needs LiteLLM alone; aiokafka besides, to write to Kafka.

SWERVE_HASH_KEY   the key of the hashes, 16 characters or more; the same on every proxy, and nowhere else. Required.
SWERVE_LOG        the file to append to, as /var/log/swerve/requests.ndjson; or
SWERVE_KAFKA      brokers as host:port, and SWERVE_TOPIC, by default swerve.requests.
SWERVE_ACCOUNT    who is billed, the first that is there: user_api_key_user_id,user_api_key_team_id,user_api_key_hash by
                  default; end_user where customers are told apart by `user` in the request.

Of the prompt, system messages and tool definitions are hashed with the key before the request goes out; the hash is the
attribute `template`. Payment, country, asn and signup_week are read off the metadata that you gave the key; the payment
is hashed too. Messages and answers are read for nothing else, and are never held, logged or sent.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

HELD_MAX = 100_000  # hashes of requests that have not ended; 16 bytes each
EVENT_ID_MAX = 128
NOBODY = (None, "", "default_user_id")  # the last is the user of every key that was made with the master key
ACCOUNT = "user_api_key_user_id,user_api_key_team_id,user_api_key_hash"
OF_KEY = ("country", "asn", "signup_week")
TOOLS = {
    "computer_use": ("computer_", "computer-use"),
    "coding": ("bash", "text_editor", "code_execution", "code_interpreter", "shell", "apply_patch"),
    "web_search": ("web_search", "web_fetch"),
    "retrieval": ("file_search",),
}

_log = logging.getLogger("swerve")


class Swerve(CustomLogger):
    """Writes one record a completed request. Build it with the environment above, which it checks at once."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        key = environment.get("SWERVE_HASH_KEY", "").encode()
        if len(key) < 16:
            raise ValueError(f"SWERVE_HASH_KEY: expected 16 characters or more, got {len(key)}")
        self._key = blake2b(key).digest() if len(key) > 64 else key
        self._file = environment.get("SWERVE_LOG")
        self._brokers = environment.get("SWERVE_KAFKA")
        if bool(self._file) == bool(self._brokers):
            raise ValueError("expected one of SWERVE_LOG, a file, and SWERVE_KAFKA, brokers as host:port")
        self._topic = environment.get("SWERVE_TOPIC", "swerve.requests")
        self._account = [name.strip() for name in environment.get("SWERVE_ACCOUNT", ACCOUNT).split(",")]
        self._producer: Any = None
        self._template_of: OrderedDict[str, str] = OrderedDict()  # call -> hash, between its begin and its end

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> None:
        """Hash the prompt while it is there: where messages are redacted, what is logged later holds none."""
        call, template = data.get("litellm_call_id"), self.template_of(data)
        if isinstance(call, str) and template is not None:
            self._template_of[call] = template
            while len(self._template_of) > HELD_MAX:
                self._template_of.popitem(last=False)

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Write the record of a request that ended well."""
        try:
            record = self.record_of(kwargs)
            if record is not None:
                await self._write(record)
        except Exception as error:  # a fault here must not become the customer's, and its words may hold theirs
            _log.error("swerve: a request is not written: %s", type(error).__name__)

    def log_success_event(self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """The same for a call that was not asynchronous, into a file."""
        try:
            record = self.record_of(kwargs)
            if record is not None and self._file:
                self._append(record)
        except Exception as error:
            _log.error("swerve: a request is not written: %s", type(error).__name__)

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """A request that failed is none; what is held of it is let go."""
        self._template_of.pop(str(kwargs.get("litellm_call_id")), None)

    def record_of(self, kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
        """The eight fields of a request; None where nobody is billed for it."""
        told = kwargs.get("standard_logging_object") or {}
        metadata = _object(told.get("metadata"))
        account = self._billed(told, metadata)
        if account is None:
            return None
        parameters = _object(told.get("model_parameters"))
        return {
            "event_id": self._id(told),
            "timestamp": round(told["endTime"] * 1000),
            "account_id": account,
            "model": told.get("model_group") or told["model"],
            "capabilities": _capabilities(told, metadata, parameters),
            "input_tokens": told.get("prompt_tokens") or 0,
            "output_tokens": told.get("completion_tokens") or 0,
            "attributes": self._attributes(told, metadata, kwargs),
        }

    def template_of(self, data: Mapping[str, Any]) -> str | None:
        """The hash of the stable part of a prompt, in the form of any of the APIs; None where it has none."""
        messages = data.get("messages")
        system = [
            one.get("content")
            for one in (messages if isinstance(messages, list) else [])
            if isinstance(one, dict) and one.get("role") in ("system", "developer")
        ]
        system += [data[name] for name in ("system", "instructions") if data.get(name)]
        tools = data.get("tools") or data.get("functions")
        if not system and not tools:
            return None
        return self._hash(json.dumps([system, tools], sort_keys=True, ensure_ascii=False, default=str))

    def _hash(self, text: str) -> str:
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).hexdigest()

    def _id(self, told: Mapping[str, Any]) -> str:
        parts = dict.fromkeys(str(told[name]) for name in ("id", "litellm_call_id") if told.get(name))
        whole = "/".join(parts)
        return whole if len(whole) <= EVENT_ID_MAX else self._hash(whole)

    def _billed(self, told: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
        values = (metadata.get(name) or told.get(name) for name in self._account)
        return next((str(value)[:256] for value in values if value not in NOBODY), None)

    def _attributes(
        self, told: Mapping[str, Any], metadata: Mapping[str, Any], kwargs: Mapping[str, Any]
    ) -> dict[str, str]:
        of_key = _object(metadata.get("user_api_key_auth_metadata"))
        payment = of_key.get("payment")
        held = self._template_of.pop(str(told.get("litellm_call_id")), None)
        agent = told.get("user_agent") or metadata.get("user_agent")
        found = {
            "org": metadata.get("user_api_key_org_id") or metadata.get("user_api_key_team_id"),
            "payment": None if payment in (None, "") else self._hash(str(payment)),
            "template": held or self.template_of({**_object(kwargs.get("optional_params")), **kwargs}),
            "client": agent.split(" ")[0][:128] if isinstance(agent, str) else None,
            "ip_prefix": _prefix(told.get("requester_ip_address") or metadata.get("requester_ip_address")),
            "served_by": told.get("model"),
            **{name: of_key.get(name) for name in OF_KEY},
        }
        return {name: str(value)[:256] for name, value in found.items() if value not in (None, "")}

    async def _write(self, record: dict[str, Any]) -> None:
        if self._file:
            self._append(record)
            return
        if self._producer is None:
            from aiokafka import AIOKafkaProducer

            producer = AIOKafkaProducer(bootstrap_servers=self._brokers, enable_idempotence=True)
            await producer.start()
            self._producer = producer
        await self._producer.send(self._topic, json.dumps(record).encode(), key=record["account_id"].encode())

    def _append(self, record: dict[str, Any]) -> None:
        """One write to a file that is opened for it: lines of several workers stay whole, and it may be moved away."""
        at = os.open(str(self._file), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(at, json.dumps(record).encode() + b"\n")
        finally:
            os.close(at)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _capabilities(told: Mapping[str, Any], metadata: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[str]:
    """What the request exercised, from its shape: the same tags as Swerve's own reading of LiteLLM's payload."""
    tools = parameters.get("tools")
    types = (
        [str(tool.get("type") or "function") for tool in tools if isinstance(tool, Mapping)]
        if isinstance(tools, list)
        else []
    )
    built_in = _object(told.get("standard_built_in_tools_params"))
    counted = _object(metadata.get("usage_object"))
    usage, prompted = _object(counted.get("completion_tokens_details")), _object(counted.get("prompt_tokens_details"))
    form = _object(parameters.get("response_format")) or _object(_object(parameters.get("text")).get("format"))
    tags = {"tool_use": bool(types or built_in.get("web_search_options") or built_in.get("file_search"))}
    tags |= {tag: any(one.startswith(prefixes) for one in types) for tag, prefixes in TOOLS.items()}
    tags["web_search"] |= bool(built_in.get("web_search_options"))
    tags["retrieval"] |= bool(built_in.get("file_search"))
    tags["chain_of_thought"] = bool(
        any(parameters.get(name) for name in ("reasoning_effort", "thinking", "reasoning"))
        or usage.get("reasoning_tokens")
    )
    tags["structured_output"] = form.get("type") == "json_schema"
    tags["vision"] = bool(prompted.get("image_tokens"))  # as the provider counted: no message is looked at for it
    tags["audio"] = told.get("call_type") in ("transcription", "atranscription", "speech", "aspeech")
    return [tag for tag, shown in tags.items() if shown]


def _prefix(address: Any) -> str | None:
    """The network of an address: /24, or /48 of IPv6."""
    try:
        version = ipaddress.ip_address(str(address).split(",")[0].strip()).version
        return str(
            ipaddress.ip_network(f"{str(address).split(',')[0].strip()}/{24 if version == 4 else 48}", strict=False)
        )
    except ValueError:
        return None


swerve = Swerve()  # without its environment the proxy does not start: one that tells nothing would be worse
