"""What answers behind the live gateway: real servers, and echoes that never get anything wrong."""

import contextlib
import socket
import subprocess
import threading

from live_lab import WEB, read, wait_for

NGINX = """
daemon off;
master_process off;
user root;
pid {folder}/nginx.pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/bodies;
  client_max_body_size 0;
  server {{
    listen {address}:80;
    root {folder}/pages;
    dav_methods PUT;
  }}
}}
"""


def run_until_the_end(process, running):
    running.callback(process.wait)
    running.callback(process.terminate)


def listens(space, protocol, port):
    return bool(space.run("ss", "-Hln", f"--{protocol}", f"sport = :{port}", capture_output=True).stdout)


def serve_pages(lab, running):
    """nginx; its pages are in the folder that this returns, and what is PUT comes into it."""
    pages, config, log = lab.folder / "pages", lab.folder / "nginx.conf", lab.folder / "nginx.log"
    pages.mkdir()
    config.write_text(NGINX.format(folder=lab.folder, address=WEB))
    run_until_the_end(lab.server.start("nginx", "-c", config, "-e", log), running)
    wait_for(lambda: listens(lab.server, "tcp", 80), lambda: f"nginx did not start: {read(log)}")
    return pages


def serve_names(lab, running):
    """dnsmasq knows web01.lab.example, and of big.lab.example a text that needs fragments. The text."""
    text = ["x" * 250] * 12
    dns = lab.server.start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root", "--no-resolv",
                           "--no-hosts", f"--listen-address={WEB}", "--bind-interfaces", "--edns-packet-max=4096",
                           f"--host-record=web01.lab.example,{WEB}", "--txt-record=big.lab.example," + ",".join(text))
    run_until_the_end(dns, running)
    wait_for(lambda: listens(lab.server, "udp", 53), "dnsmasq did not start")
    return " ".join(f'"{part}"' for part in text)


def serve_iperf(lab, running):
    run_until_the_end(lab.server.start("iperf3", "--server", "--bind", WEB, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), running)
    wait_for(lambda: listens(lab.server, "tcp", 5201), "iperf3 did not start")


def serve_echo(lab, running):
    with lab.server.entered():
        echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        echo.bind((WEB, 6001))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                data, sender = echo.recvfrom(65535)
                echo.sendto(data, sender)
    threading.Thread(target=answer, daemon=True).start()
    running.callback(echo.close)


def serve_tcp_echo(space, address, port, running):
    with space.entered():
        listener = socket.create_server((address, port))

    def answer(connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(65535):
                connection.sendall(data)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    running.callback(listener.close)


class Sink:
    """What takes all that it is sent."""

    def __init__(self):
        self.bytes = 0


def serve_sink(space, address, port, running):
    with space.entered():
        listener = socket.create_server((address, port))
    sink = Sink()

    def take():
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                while data := connection.recv(1 << 20):
                    sink.bytes += len(data)
    threading.Thread(target=take, daemon=True).start()
    running.callback(listener.close)
    return sink


def say(connection, data):
    """What an echo answers."""
    connection.sendall(data)
    return connection.recv(65535)
