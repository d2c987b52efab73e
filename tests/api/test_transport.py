"""The API over TLS, as it is served: versions and ciphers, long headers, and what it tells about itself."""

import json
import socket
import ssl
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from http.client import HTTPSConnection
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared.platform import clock
from tests.api.test_intakes import MINIMAL
from tests.api.test_server import ask, free_port, wait_until_it_listens
from tests.program import program

REFERRALS = Path(sys.executable).with_name("referrals")


@pytest.fixture
def certificate(tmp_path):
    """A chain of one certificate for 127.0.0.1, and its key, as files."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=psoas-test")
    now = clock.now()
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    chain, secret = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(signed.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, secret


def context_for(chain: Path, **limits: object) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(chain))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    for name, value in limits.items():
        setattr(context, name, value)
    return context


def shaken(port: int, context: ssl.SSLContext) -> tuple[str | None, str]:
    """Return version and cipher of a connection; raises OSError where the server agrees to none."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as secure,
    ):
        cipher = secure.cipher()
        assert cipher is not None
        return secure.version(), cipher[0]


def wait_until_open(port: int, context: ssl.SSLContext) -> None:
    for _ in range(600):
        try:
            shaken(port, context)
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("it never listened")


def test_it_speaks_tls_with_forward_secrecy_alone(environment, certificate, submitter):
    chain, key = certificate
    port, context = free_port(), context_for(chain)
    tls = {"TLS_CERTIFICATE_FILE": str(chain), "TLS_KEY_FILE": str(key)}
    command = [REFERRALS, "api", "--host", "0.0.0.0", "--port", str(port)]  # noqa: S104
    with program(command, env=environment | tls) as served:
        wait_until_open(port, context)
        assert shaken(port, context)[0] == "TLSv1.3"
        older = context_for(chain, maximum_version=ssl.TLSVersion.TLSv1_2)
        version, cipher = shaken(port, older)
        assert (version, cipher.startswith("ECDHE-")) == ("TLSv1.2", True)
        for weak in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA"):
            older.set_ciphers(weak)
            with pytest.raises(OSError, match=r"(?i)alert|eof|reset"):
                shaken(port, older)
        with pytest.deprecated_call():
            oldest = context_for(chain, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
        oldest.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(OSError, match=r"(?i)alert|eof|reset|protocol"):
            shaken(port, oldest)
        headers = {"Authorization": f"Bearer {submitter.key}", "Content-Type": "application/json"}
        with closing(HTTPSConnection("127.0.0.1", port, timeout=20, context=context)) as connection:
            connection.request("POST", "/v1/intakes", json.dumps(MINIMAL), headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 202
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            connection.request("GET", "/console/sign-in")
            page = connection.getresponse()
            page.read()
            assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "listener.plain_http" not in "".join(served.said)


def test_plain_http_for_other_machines_is_refused(environment):
    command = [REFERRALS, "api", "--host", "0.0.0.0", "--port", str(free_port())]  # noqa: S104
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "TLS_CERTIFICATE_FILE" in refused.stderr
    assert "--insecure" in refused.stderr


def test_headers_are_bounded_and_the_server_has_no_name(environment, submitter):
    port = free_port()
    with program([REFERRALS, "api", "--port", str(port)], env=environment):
        wait_until_it_listens(port)
        headers = {"Authorization": f"Bearer {submitter.key}"}
        status, answered, _ = ask(port, "GET", "/v1/form", headers=headers | {"X-Padding": "x" * 12_000})
        assert (status, answered["Server"]) == (200, "api")
        assert ask(port, "GET", "/v1/form", headers=headers | {"X-Padding": "x" * 17_000})[0] == 431
        status, answered, body = ask(port, "GET", "/v1/van-der-Berg?mrn=MRN-0012345", headers=headers)
        assert (status, b"Berg" in body, b"MRN" in body) == (404, False, False)
        whole = b'{"encounter": {"free_text": "' + b"a" * 60_000 + b'"}}'
        assert ask(port, "POST", "/v1/intakes", whole, headers | {"Content-Type": "application/json"})[0] == 422
