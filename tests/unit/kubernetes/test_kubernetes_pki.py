"""Certificates of a control plane."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from rehearsal.kubernetes.pki import Authority, signing_key

pytestmark = pytest.mark.unit


def test_a_certificate_names_its_user_groups_and_hosts_and_is_signed(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki", "ca")
    pair = authority.issue("admin", "someone", organizations=["system:masters"], hosts=["localhost", "127.0.0.1"])
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pem))
    names = {attribute.oid: attribute.value for attribute in certificate.subject}
    assert names == {NameOID.COMMON_NAME: "someone", NameOID.ORGANIZATION_NAME: "system:masters"}
    hosts = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert hosts.get_values_for_type(x509.DNSName) == ["localhost"]
    ssl.create_default_context(cadata=authority.pem.decode()).load_cert_chain(pair.certificate, pair.key)


def test_what_exists_is_kept(tmp_path: Path) -> None:
    first = Authority(tmp_path / "pki", "ca")
    issued = first.issue("a", "a").certificate.read_bytes()
    again = Authority(tmp_path / "pki", "ca")
    assert again.pem == first.pem
    assert again.issue("a", "a").certificate.read_bytes() == issued
    key = signing_key(tmp_path / "pki", "tokens").key.read_bytes()
    assert signing_key(tmp_path / "pki", "tokens").key.read_bytes() == key


def test_nobody_else_can_read_the_keys(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    Authority(folder, "ca").issue("a", "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
