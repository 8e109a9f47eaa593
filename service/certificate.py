"""`vitrine certificate`: a self-signed certificate for this machine, so that browsers allow the camera."""

import argparse
import datetime
import ipaddress
import os
import socket
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.lan import lan_address

DAYS = 90


def main(arguments: list[str], prog: str = "vitrine certificate") -> int:
    """Write cert.pem and key.pem; return the exit status."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("tls"), help="folder (tls)")
    parser.add_argument(
        "--name", action="append", default=[], help="additional host name or address"
    )
    options = parser.parse_args(arguments)
    try:
        names = [*_own_names(), *options.name]
        write(options.output, names)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"A certificate for {', '.join(names)}, valid for {DAYS} days. Browsers warn once, then:")
    print(f"VITRINE_TLS_CERT={options.output / 'cert.pem'}")
    print(f"VITRINE_TLS_KEY={options.output / 'key.pem'}")
    return 0


def write(folder: Path, names: list[str]) -> None:
    """Make a key and a self-signed certificate; only the owner can read the key.

    Raises:
        OSError: the folder cannot be written.
        ValueError: a name is neither a host name nor an address.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vitrine")])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks of a classroom differ
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - created with its mode
        file.write(private)
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _own_names() -> list[str]:
    names = ["localhost", "127.0.0.1", socket.gethostname()]
    try:
        return [*names, lan_address()]
    except OSError:
        return names
