"""Authorities that the openssl command makes, with good certificates and every kind of bad one."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    cert: Path
    key: Path


def _openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}:\n{done.stderr}"


class Authority:
    def __init__(self, directory, name="Test Authority"):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.serial = 1
        self.key = self.directory / "ca.key"
        self.cert = self.directory / "ca.pem"
        self._new_key(self.key)
        _openssl(
            "req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", 30, "-out", self.cert,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    @staticmethod
    def _new_key(path):
        _openssl("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", path)

    def issue(self, label, names=("DNS:localhost", "IP:127.0.0.1", "IP:::1"), days=30):
        """Issues a server certificate for `names` (subjectAltName). With negative `days` it has expired."""
        cert, key = self.directory / f"{label}.pem", self.directory / f"{label}.key"
        request, extensions = self.directory / f"{label}.csr", self.directory / f"{label}.ext"
        self.serial += 1
        self._new_key(key)
        extensions.write_text(f"subjectAltName={','.join(names)}\nextendedKeyUsage=serverAuth\n")
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={label}", "-out", request)
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-set_serial", self.serial,
            "-days", days, "-extfile", extensions, "-out", cert,
        )  # fmt: skip
        return Certificate(cert, key)


class Certificates:
    def __init__(self, directory):
        directory = Path(directory)
        self.authority = Authority(directory / "ours")
        self.stranger = Authority(directory / "theirs", "Nobody's Authority")
        self.good = self.authority.issue("good")
        self.expired = self.authority.issue("expired", days=-1)
        self.wrong_host = self.authority.issue("elsewhere", names=("DNS:relay.example", "IP:192.0.2.1"))
        self.unknown_ca = self.stranger.issue("unknown")

    @property
    def ca_file(self):
        return self.authority.cert
