"""The frames of RFC 6455 that a stand-in needs: text, binary, ping, pong, close."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
RESTART = 1012  # "Service Restart": the client is to connect again
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    final: bool = True


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()


def encode(opcode: int, payload: bytes) -> bytes:
    """A server's frame: final and unmasked."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, length)
    return head + payload


def close_frame(code: int, reason: str) -> bytes:
    return encode(CLOSE, struct.pack("!H", code) + reason.encode())


def decode(buffer: bytearray) -> Frame | None:
    """Takes one frame off the buffer's front; None until it is complete."""
    if len(buffer) < 2:
        return None
    masked, length, at = bool(buffer[1] & 0x80), buffer[1] & 0x7F, 2
    if length == 126:
        if len(buffer) < 4:
            return None
        length, at = struct.unpack_from("!H", buffer, 2)[0], 4
    elif length == 127:
        if len(buffer) < 10:
            return None
        length, at = struct.unpack_from("!Q", buffer, 2)[0], 10
    end = at + (4 if masked else 0) + length
    if len(buffer) < end:
        return None
    payload = bytes(buffer[end - length:end])
    if masked:
        mask = buffer[at:at + 4] * (length // 4 + 1)
        payload = bytes(a ^ b for a, b in zip(payload, mask, strict=False))
    frame = Frame(buffer[0] & 0x0F, payload, bool(buffer[0] & 0x80))
    del buffer[:end]
    return frame
