"""Certificates that a client must refuse, and one that it must not, each under a CA that it trusts
unless its name says otherwise. Made with openssl, since only that makes them as wrong as they are.
"""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import subprocess

PAST, NOW, FUTURE = "20200101000000Z", "20240101000000Z", "20900101000000Z"

CONFIG = """
[ca]
default_ca = any
[any]
dir = .
database = index
serial = serial
new_certs_dir = .
policy = policy
unique_subject = no
[policy]
commonName = supplied
[req]
distinguished_name = name
[name]
"""

LOCAL = "subjectAltName=IP:127.0.0.1,DNS:localhost"
SERVER = [LOCAL, "basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth"]
CA = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
# A name with a NUL in it, as the bytes of the extension.
NUL_NAME = b"localhost\0.example.com"
NUL_SAN = bytes([0x30, len(NUL_NAME) + 2, 0x82, len(NUL_NAME)]) + NUL_NAME


def named(name):
    return [f"subjectAltName={name}"] + SERVER[1:]


class Maker:
    """Keys and certificates in a folder; a chain leaves the root out."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("1000\n")
        self.chains = {}
        self.keys = {}
        for name, algorithm, option in (
            ("ec", "EC", "ec_paramgen_curve:P-256"),
            ("rsa2048", "RSA", "rsa_keygen_bits:2048"),
            ("rsa1024", "RSA", "rsa_keygen_bits:1024"),
            ("rsa512", "RSA", "rsa_keygen_bits:512"),
        ):
            self.run("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", f"{name}.key")

    def run(self, *words):
        subprocess.run(
            ["openssl", *words], cwd=self.folder, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def path(self, name):
        return str(self.folder / name)

    def make(self, name, extensions, issuer=None, key="ec", start=NOW, end=FUTURE, digest="sha256"):
        """A certificate NAME.pem, signed by `issuer` or by itself."""
        (self.folder / "config").write_text(CONFIG + "[more]\n" + "\n".join(extensions) + "\n")
        self.run("req", "-new", "-config", "config", "-key", f"{key}.key", "-subj", f"/CN={name}",
                 "-out", "request")
        by = ["-cert", f"{issuer}.pem"] if issuer else ["-selfsign"]
        self.run("ca", "-batch", "-notext", "-config", "config", "-extensions", "more", *by,
                 "-keyfile", f"{self.keys.get(issuer, key)}.key", "-md", digest,
                 "-startdate", start, "-enddate", end, "-in", "request", "-out", f"{name}.pem")
        self.keys[name] = key
        text = (self.folder / f"{name}.pem").read_text()
        self.chains[name] = text + self.chains.get(issuer, "") if issuer else ""
        chain = text if not issuer else self.chains[name]
        (self.folder / f"{name}.chain").write_text(chain)


def make_issuers(make_one):
    make_one("stranger", CA)
    make_one("plain", SERVER, "root")
    make_one("old-ca", CA, "root", start=PAST, end=NOW)
    make_one("narrow-ca", ["basicConstraints=critical,CA:TRUE,pathlen:0", CA[1]], "root")
    make_one("under-narrow-ca", CA, "narrow-ca")
    make_one("fenced-ca", CA + ["nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0"], "root")
    make_one("signing-less-ca", [CA[0], "keyUsage=critical,digitalSignature"], "root")
    make_one("missing-ca", CA, "root")


LEAVES = {
    "good": {},
    "expired": {"start": PAST, "end": NOW},
    "not-yet-valid": {"start": "20800101000000Z"},
    "other-name": {"extensions": named("DNS:www.example.com")},
    "other-address": {"extensions": named("IP:127.0.0.2")},
    "address-as-name": {"extensions": named("DNS:127.0.0.1")},
    "nul-in-name": {"extensions": named("DER:" + NUL_SAN.hex(":"))},
    "wildcard": {"extensions": named("DNS:*")},
    "self-signed": {"issuer": None},
    "unknown-ca": {"issuer": "stranger"},
    "issuer-is-no-ca": {"issuer": "plain"},
    "issuer-may-not-sign": {"issuer": "signing-less-ca"},
    "issuer-expired": {"issuer": "old-ca"},
    "path-too-long": {"issuer": "under-narrow-ca"},
    "outside-of-constraint": {"issuer": "fenced-ca"},
    "missing-issuer": {"issuer": "missing-ca"},
    "for-clients-only": {"extensions": SERVER[:2] + ["extendedKeyUsage=clientAuth"]},
    "unknown-critical": {"extensions": SERVER + ["1.2.3.4=critical,ASN1:NULL"]},
    "rsa-512": {"key": "rsa512"},
    "rsa-1024": {"key": "rsa1024"},
    "signed-by-md5": {"digest": "md5"},
    "signed-by-sha1": {"digest": "sha1"},
}


def make(folder, wants_bad):
    """Makes them: { name: (chain, key) }; the trusted root is FOLDER/root.pem."""
    maker = Maker(folder)
    maker.make("root", CA, key="rsa2048")  # which signs by MD5 too
    if wants_bad:
        make_issuers(maker.make)
    made = {}
    for name, how in LEAVES.items() if wants_bad else [("good", {})]:
        given = {"extensions": SERVER, "issuer": "root", **how}
        maker.make(name, **given)
        made[name] = (maker.path(f"{name}.chain"), maker.path(f"{given.get('key', 'ec')}.key"))
    if wants_bad:
        leaf = (maker.folder / "missing-issuer.pem").read_text()
        (maker.folder / "missing-issuer.chain").write_text(leaf)
    return made
