# SPDX-License-Identifier: MIT
"""A serial adapter and a network adapter: what goes in at one end comes out at the other."""
import os
import re
import socket
import threading

from sticks import sha256

SERIAL_BYTES = 200_000
NET_BYTES = 4 << 20


def receive(link, count):
    """So many bytes of a socket, or as many as come until its end."""
    data = b""
    while len(data) < count and (part := link.recv(count - len(data))):
        data += part
    return data


def sums(text):
    return re.findall(r"\b[0-9a-f]{64}\b", text)


def check_serial(lab, web):
    path = lab.run / "serial.socket"
    lab.plug("xhci.5", "serial", socket=path)
    tty = "/dev/ttyUSB0"
    web.wait(f"test -c {tty}")
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(path))
        link.settimeout(60)
        web.check(f"stty -F {tty} raw -echo 115200")
        reader = web.start(f"head -c {SERIAL_BYTES} {tty} | sha256sum")
        web.wait(f"ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q {tty}$")
        data = os.urandom(SERIAL_BYTES)
        link.sendall(data)
        assert sums(reader.wait(60)[1]) == [sha256(data)], "other bytes came than were sent"
        writer = web.start(f"head -c {SERIAL_BYTES} /dev/urandom > /tmp/serial; "
                           f"sha256sum < /tmp/serial; cat /tmp/serial > {tty}")
        data = receive(link, SERIAL_BYTES)
        assert sums(writer.wait(60)[1]) == [sha256(data)], "the guest sent other bytes than came"


class Server:
    """Takes one connection of TCP: sends bytes, or receives them."""

    def __init__(self, data=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(60)
        self.port = self.listener.getsockname()[1]
        self.data = data
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        link, _ = self.listener.accept()
        with link, self.listener:
            link.settimeout(60)
            if self.data is None:
                self.data = receive(link, NET_BYTES)
            else:
                link.sendall(self.data)

    def received(self):
        self.thread.join(60)
        return self.data


def check_network(lab, web):
    lab.plug("xhci.6", "net")
    name = web.wait("ls /sys/class/net | grep -v '^lo$'")
    web.check(f"ifconfig {name} 10.0.2.15 netmask 255.255.255.0 up")
    web.wait("ping -c 1 -W 1 10.0.2.2")
    pings = web.check("ping -c 20 -i 0.1 10.0.2.2")
    assert " 0% packet loss" in pings, pings
    server = Server(os.urandom(NET_BYTES))
    text = web.check(f"nc 10.0.2.2 {server.port} < /dev/null | sha256sum", timeout=90)
    assert sums(text) == [sha256(server.received())], "other bytes came than were sent"
    server = Server()
    text = web.check(f"head -c {NET_BYTES} /dev/urandom > /tmp/net; sha256sum < /tmp/net; "
                     f"nc 10.0.2.2 {server.port} < /tmp/net", timeout=90)
    assert sums(text) == [sha256(server.received())], "the guest sent other bytes than came"


def test(lab):
    lab.dom0.check("xvhc give 1-5 web && xvhc give 1-6 web")
    web = lab.guest("web")
    check_serial(lab, web)
    check_network(lab, web)
