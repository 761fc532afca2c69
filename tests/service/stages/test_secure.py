"""Do all clients connect over TLS with a password, check the certificate, and say clearly what is wrong?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from stream.detect import worker as detect
from stream.errors import UsageError
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from tests.ports import free_port
from tests.service.broker import Broker, jars, why_no_java
from tests.service.rig import everything, produce, requests, running, settings_for, until

pytestmark = pytest.mark.service("kafka")

LISTENERS = """
listeners=PLAINTEXT://127.0.0.1:{plain},SSL://127.0.0.1:{tls},SASL_SSL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SSL://127.0.0.1:{tls},SASL_SSL://127.0.0.1:{sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_swerve="secret";
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location={folder}/server.pem
listener.name.ssl.ssl.keystore.type=PEM
listener.name.ssl.ssl.keystore.location={folder}/server.pem
"""  # noqa: E501


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "ca.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (folder / "server.pem").write_bytes((folder / "key.pem").read_bytes() + (folder / "ca.pem").read_bytes())
    return folder / "ca.pem"


@pytest.fixture(scope="module")
def secure(tmp_path_factory, service_unavailable):
    """(ports by protocol, the authority's certificate) of a broker that wants to be sure."""
    no_java = why_no_java()
    if no_java:
        service_unavailable("kafka", no_java)
    folder = tmp_path_factory.mktemp("tls")
    authority = certificate(folder)
    ports = {"tls": free_port(), "sasl": free_port()}

    class Secure(Broker):
        def properties(self, controller: int) -> str:
            return LISTENERS.format(plain=self.port, controller=controller, folder=folder, **ports)

    running_broker = Secure(jars(), scram="name=swerve,password=secret")
    yield ports, authority
    running_broker.stop()


def by(secure, unique, protocol: str, **more):
    ports, authority = secure
    port = ports["sasl" if protocol == "SASL_SSL" else "tls"]
    return settings_for(f"127.0.0.1:{port}", unique, security_protocol=protocol, ssl_cafile=authority, **more)


PASSWORD = {"sasl_username": "swerve", "sasl_password": "secret"}
WAYS = [
    ("SSL", {}),
    ("SASL_SSL", PASSWORD | {"sasl_mechanism": "SCRAM-SHA-512"}),
    ("SASL_SSL", PASSWORD | {"sasl_mechanism": "PLAIN"}),
]


@pytest.mark.parametrize(("protocol", "more"), WAYS, ids=["tls", "scram", "plain"])
async def test_a_record_goes_through_ingest_and_detect(secure, unique, protocol, more):
    settings = by(secure, unique, protocol, **more)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(2_000)))

    async with running(ingest.work, settings), running(detect.work, settings):
        summaries = await until(lambda: everything(kafka, kafka.topics.summaries))

    assert summaries


async def test_a_wrong_password_is_told_from_a_broker_that_is_away(secure, unique):
    settings = by(secure, unique, "SASL_SSL", sasl_username="swerve", sasl_password="wrong")

    with pytest.raises(broker.UnreachableError, match="answers, but lets 'swerve' not in"):
        await topics.check(settings.kafka)


async def test_a_certificate_of_nobody_we_know_is_refused(secure, unique, tmp_path):
    ports, _ = secure
    other = certificate(tmp_path)
    settings = settings_for(f"127.0.0.1:{ports['tls']}", unique, security_protocol="SSL", ssl_cafile=other)

    with pytest.raises(broker.UnreachableError, match="check \\[kafka\\] security_protocol and the certificates"):
        await topics.check(settings.kafka)


def test_a_missing_certificate_file_is_named(unique):
    settings = settings_for("127.0.0.1:1", unique, security_protocol="SSL", ssl_cafile="/nowhere/ca.pem")

    with pytest.raises(UsageError, match=r"/nowhere/ca\.pem: expected PEM files"):
        broker.ssl_context(settings.kafka)
