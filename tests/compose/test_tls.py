"""With certificates, nginx ends TLS in the place of the plain listener."""

import ipaddress
import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .stack import Stack

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with a certificate for 127.0.0.1 that signed itself, as nginx's user can read it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "psoas")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(LONG_AGO + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "fullchain.pem").write_bytes(certificate.public_bytes(pem))
    (tmp_path / "privkey.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def secure(stack: Stack, certificates: Path) -> Iterator[Stack]:
    """The same stack with the TLS listener."""
    more = {
        "COMPOSE_FILE": f"{stack.environment['COMPOSE_FILE']}:deploy/tls.yml",
        "TLS_CERTIFICATES": str(certificates),
        "TLS_ADDRESS": "127.0.0.1",
        "TLS_PORT": str(stack.port),
    }
    secure = replace(stack, environment=stack.environment | more)
    secure.up()
    yield secure
    stack.up()


def test_the_api_answers_by_tls_alone(secure: Stack, certificates: Path) -> None:
    trusting = ssl.create_default_context(cafile=certificates / "fullchain.pem")
    connection = HTTPSConnection("127.0.0.1", secure.port, timeout=10, context=trusting)
    connection.request("GET", "/health/ready")
    response = connection.getresponse()

    assert response.status == 200
    assert response.headers["strict-transport-security"]
    assert json.loads(response.read())
    connection.close()
    (nginx,) = secure.containers("nginx")
    assert [port for port, binds in nginx["NetworkSettings"]["Ports"].items() if binds] == ["8443/tcp"]
