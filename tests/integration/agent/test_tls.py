"""TLS to the service: a certificate of one's own authority is trusted by `ca_file` alone."""

import datetime
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from api.agent.failures import Unreachable
from api.agent.transport import BearerSigner, HttpTransport
from api.agent.web import Web
from api.local.settings_table import SettingsWrong


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the loopback that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rentroll test")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "ca.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, secret


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """URL of a service behind TLS, and the certificate to trust."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    certificate, secret = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", certificate
    server.shutdown()
    server.server_close()
    thread.join()


def test_service__of_an_authority_of_ones_own__is_trusted_by_its_file(
    service: tuple[str, Path],
) -> None:
    url, certificate = service

    transport = HttpTransport(Web(url, ca_file=certificate), BearerSigner("k"))
    date = transport.ask_time()
    transport.close()

    assert date is not None
    assert date.endswith("GMT")


def test_service__of_an_unknown_authority__is_not_talked_to(service: tuple[str, Path]) -> None:
    url, _ = service

    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        HttpTransport(Web(url), BearerSigner("k")).ask_time()


def test_ca_file__that_is_not_there__is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"ca_file .*absent\.pem"):
        Web("https://127.0.0.1:1", ca_file=tmp_path / "absent.pem")
