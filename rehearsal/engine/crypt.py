"""Pulumi's passphrase secrets provider: PBKDF2-SHA256 (1,000,000 rounds, 32 bytes), AES-256-GCM.

Formats (pulumi/pulumi, sdk/go/common/resource/config/crypt.go): ciphertext `v1:{nonce}:{text}`; a salt is kept as
`v1:{salt}:{ciphertext of "pulumi"}`, so that a wrong passphrase is noticed. All parts are base64.
"""

from __future__ import annotations

import base64
import hashlib
import os
import threading

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehearsal.engine.errors import WrongPassphrase

_ROUNDS = 1_000_000
_PROBE = "pulumi"


class Crypter:
    """Encrypts and decrypts. The key is derived once, on a thread of its own, when it is first wanted (`start`)."""

    def __init__(self, passphrase: str, salt_state: str | None = None, rounds: int = _ROUNDS) -> None:
        self._passphrase = passphrase
        self._rounds = rounds
        self._probe: str | None = None
        if salt_state is None:
            self._salt = os.urandom(8)
        else:
            version, salt, *probe = salt_state.split(":", 2)
            if version != "v1" or len(probe) != 1:
                raise WrongPassphrase(f"`{salt_state[:20]}…` is not a salt of the passphrase secrets provider "
                                      "(expected v1:SALT:v1:NONCE:TEXT)")
            self._salt = base64.b64decode(salt)
            self._probe = probe[0]
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._cipher: AESGCM | None = None
        self._failure: WrongPassphrase | None = None

    def start(self) -> None:
        """Begins to derive the key; returns at once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._derive, name="derive-key", daemon=True)
                self._thread.start()

    def _derive(self) -> None:
        key = hashlib.pbkdf2_hmac("sha256", self._passphrase.encode(), self._salt, self._rounds, 32)
        self._cipher = AESGCM(key)
        if self._probe is not None:
            try:
                self._open(self._cipher, self._probe)
            except (InvalidTag, ValueError):
                self._failure = WrongPassphrase(
                    "incorrect passphrase: the secrets of this stack were encrypted with another one "
                    "(PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE)")

    def _key(self) -> AESGCM:
        self.start()
        assert self._thread is not None
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        assert self._cipher is not None
        return self._cipher

    @staticmethod
    def _open(cipher: AESGCM, ciphertext: str) -> str:
        version, nonce, text = ciphertext.split(":")
        if version != "v1":
            raise ValueError(f"unknown version {version} of a ciphertext")
        return cipher.decrypt(base64.b64decode(nonce), base64.b64decode(text), None).decode()

    def encrypt(self, plaintext: str) -> str:
        nonce = os.urandom(12)
        text = self._key().encrypt(nonce, plaintext.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(text).decode()}"

    def decrypt(self, ciphertext: str) -> str:
        """Raises WrongPassphrase when the text was encrypted with another key or has been altered."""
        try:
            return self._open(self._key(), ciphertext)
        except (InvalidTag, ValueError) as error:
            raise WrongPassphrase("a secret cannot be decrypted: other passphrase, other salt, or altered text") \
                from error

    @property
    def salt_state(self) -> str:
        """What the stack's configuration and the state keep: salt and probe."""
        if self._probe is None:
            self._probe = self.encrypt(_PROBE)
        return f"v1:{base64.b64encode(self._salt).decode()}:{self._probe}"
