"""The signed head is posted by HTTPS to the address that is set, and an address that fails stops nothing."""

import ipaddress
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.worker.watchman.sealer import Sealer
from shared.platform.settings import SettingsError, load_settings
from shared.store.seals.chain_heads import is_signed

KEY = bytes(range(64, 96))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def certificate(tmp_path):
    """A file with a certificate for 127.0.0.1 that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "heads")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(LONG_AGO + timedelta(days=36500))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, file = serialization.Encoding.PEM, tmp_path / "heads.pem"
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return file


@pytest.fixture
def keeper(certificate):
    """An address that keeps heads, and what it was sent; it answers as `answers` says."""
    received, answers = [], [204]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers[0])
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/heads", received, answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_head_is_posted(sessions, keeper, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    url, received, _ = keeper
    sealer = Sealer(sessions, KEY, head_url=url)
    with structlog.testing.capture_logs() as said:
        sealer.write_head()
    assert [is_signed(KEY, head) for head in received] == [True]
    assert not is_signed(bytes(32), received[0])
    assert [line["event"] for line in said] == ["audit.signed_head"]


@pytest.mark.parametrize("trusted", [True, False])
def test_an_address_that_fails_or_is_not_known_is_logged(sessions, keeper, certificate, monkeypatch, trusted):
    url, received, answers = keeper
    answers[0] = 500
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with structlog.testing.capture_logs() as said:
        Sealer(sessions, KEY, head_url=url).write_head()
    assert said[-1]["event"] == "audit.head_not_posted"
    assert said[-1]["error"] == ("HTTP 500" if trusted else "SSLError")
    assert len(received) == trusted


def test_an_address_in_the_clear_is_refused(environment, monkeypatch):
    for name, value in (environment | {"CHAIN_HEAD_URL": "http://127.0.0.1/heads"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="CHAIN_HEAD_URL"):
        load_settings()
