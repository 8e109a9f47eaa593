"""Listening sockets: how many connections wait, and a stop of new ones, so that none of them is reset.

The kernel completes handshakes by itself: a connection that waits to be accepted when the last
listening socket closes is reset. On Linux a socket filter drops what opens a connection (SYN), so
that what is under way can be accepted first; a later client is refused after its next attempt,
which is safe to repeat. Elsewhere there is no such filter, and a small chance of a reset remains.
"""

import ctypes
import socket
import struct
import sys

SO_ATTACH_FILTER = 26
SYN = 0x02
# Byte of tcpi_unacked in struct tcp_info: of a listening socket the length of its queue
_WAITING = 24
_TCP_FLAGS = 13  # byte of the TCP header, where the filter's view of a packet begins
# Classic BPF, struct sock_filter: u16 code, u8 jump if true, u8 jump if false, u32 constant.
_PROGRAM = (
    (0x30, 0, 0, _TCP_FLAGS),  # load that byte
    (0x45, 0, 1, SYN),  # is its SYN bit set?
    (0x06, 0, 0, 0),  # yes: drop
    (0x06, 0, 0, 0xFFFFFFFF),  # no: keep all of it
)


def waiting_connections(listener: socket.socket) -> int:
    """The number of connections that wait to be accepted; 0 where the system does not say."""
    if sys.platform != "linux" or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return 0
    information = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _WAITING + 4)
    waiting: int = struct.unpack_from("I", information, _WAITING)[0]
    return waiting


def refuse_connections(listener: socket.socket) -> None:
    """Refuse new connections; pending ones can still be accepted."""
    if sys.platform != "linux" or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in _PROGRAM)
    buffer = ctypes.create_string_buffer(program)
    pointer = struct.pack("HP", len(_PROGRAM), ctypes.addressof(buffer))
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)
