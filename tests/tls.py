"""An authority of the tests' own, and TLS in front of a server that listens on a Unix socket and speaks none itself.

The bundled PostgreSQL and Valkey are built without TLS: the handshake is ended here, by the rules of each, and what is
in it goes to the real server.
"""

import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AHEAD = LONG_AGO + timedelta(days=36500)
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # what a client of PostgreSQL sends before its handshake
PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates; `file` is what trusts them."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        own = self._built(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        own = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        self.file.write_bytes(
            own.add_extension(usage, critical=True).sign(self._key, hashes.SHA256()).public_bytes(PEM)
        )
        self.file.chmod(0o644)

    def certificate(self, *hosts: str) -> Path:
        """Return a file with a certificate for `hosts`, names or addresses, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._built(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")]), key)
        names = x509.SubjectAlternativeName([_general(host) for host in hosts])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = (
            builder.add_extension(names, critical=False)
            .add_extension(identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"{self.file.stem}-{'-'.join(hosts)}.pem"
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + signed.public_bytes(PEM))
        return file

    def _built(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
        return builder.not_valid_before(LONG_AGO).not_valid_after(AHEAD)


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Terminator:
    """Listens with a certificate on `port` of the loopback; `accepted` counts the handshakes that came to an end."""

    def __init__(self, target: Path, certificate: Path, *, postgres: bool = False) -> None:
        self.accepted = 0
        self._target = target
        self._postgres = postgres
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=[self._listener.accept()[0]], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), closing(client):
            if self._postgres:
                if client.recv(8, socket.MSG_WAITALL) != SSL_REQUEST:
                    return  # one that would speak in the clear is answered nothing
                client.sendall(b"S")
            with (
                self._context.wrap_socket(client, server_side=True) as secured,
                socket.socket(socket.AF_UNIX) as server,
            ):
                self.accepted += 1
                server.connect(str(self._target))
                back = threading.Thread(target=_pass_on, args=(server, secured), daemon=True)
                back.start()
                _pass_on(secured, server)
                back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def terminated(target: Path, certificate: Path, *, postgres: bool = False) -> Iterator[Terminator]:
    """Yield TLS in front of the server at `target`."""
    terminator = Terminator(target, certificate, postgres=postgres)
    try:
        yield terminator
    finally:
        terminator.close()
