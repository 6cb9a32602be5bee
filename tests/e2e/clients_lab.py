"""A service of its own for the tests with real clients, and a proxy that loses an answer."""

import hashlib
import http.client
import http.server
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

SUBSCRIPTION = "20ff7fc3-e762-44dd-bd96-b71116dcdc23"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab"
POLICY = f"{GROUP}/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default"
TENANT = "5a3f1f0e-0b1c-4c8f-9d3e-2f6a1b7c8d9e"
ROLES = {"admin": "Owner", "requester": "JIT Requester", "nobody": None}


def token(name):
    return f"token-of-{name}"


def machine_id(name):
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configuration(port, sign_in_port):
    text = f"""
[firewall]
name = "lab-fw"
subscription = "{SUBSCRIPTION}"
resource_group = "lab"
public_ips = ["203.0.113.10"]
instance_ip = "10.0.1.5"
[store]
url = "sqlite:store.db"
[api]
listen = "127.0.0.1:{port}"
tenant = "{TENANT}"
requests_per_minute = 100000
[api.lab_sign_in]
principal = "requester@lab.example"
listen = "127.0.0.1:{sign_in_port}"
[[nat_rule_collection]]
name = "inbound"
priority = 200
  [[nat_rule_collection.rule]]
  name = "ssh-web01"
  protocols = ["TCP"]
  source_addresses = ["*"]
  destination_addresses = ["203.0.113.10"]
  destination_ports = ["50022"]
  translated_address = "10.1.0.4"
  translated_port = "22"
[[jit_policy]]
name = "default"
  [[jit_policy.virtual_machine]]
  name = "web01"
  ports = [ {{ number = 22, protocol = "TCP", allowed_source_address_prefix = "*" }} ]
"""
    for number, name in enumerate(["web01", "db01", "app01"]):
        text += f'[[virtual_machine]]\nname = "{name}"\nprivate_ip = "10.1.0.{4 + number}"\n'
    for name, role in ROLES.items():
        digest = hashlib.sha256(token(name).encode()).hexdigest()
        text += f'[[principal]]\nname = "{name}@lab.example"\ntoken_sha256 = "{digest}"\n'
        if role:
            text += f'[[role_assignment]]\nprincipal = "{name}@lab.example"\nrole = "{role}"\n'
            text += f'scope = "/subscriptions/{SUBSCRIPTION}"\n'
    return text


class Lab:
    """`portcullis run` in a folder of its own; `certificate` is the file to trust."""

    def __init__(self, binary):
        self.directory = tempfile.TemporaryDirectory(prefix="portcullis-clients-")
        self.folder = pathlib.Path(self.directory.name)
        self.port, self.sign_in_port = free_port(), free_port()
        (self.folder / "lab.toml").write_text(configuration(self.port, self.sign_in_port))
        self.log = self.folder / "log.txt"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([binary, "run", "--config", "lab.toml"], cwd=self.folder, stdout=log,
                                            stderr=subprocess.STDOUT)
        self.endpoint = f"https://localhost:{self.port}"
        deadline = time.monotonic() + 120
        while f"https://127.0.0.1:{self.port}" not in self.log.read_text() or not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the service does not start:\n" + self.log.read_text()[-2000:])
            time.sleep(0.05)
        self.certificate = str(self.folder / re.search(r"certificate (\S+\.pem|\S+\.crt)", self.log.read_text())[1])

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 120).close()
            return True
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(120)
        if error[0]:
            print(self.log.read_text()[-3000:])
        self.directory.cleanup()

    def key(self):
        """The private key beside the certificate, for the proxy."""
        for file in pathlib.Path(self.certificate).parent.iterdir():
            if file.is_file() and file.stat().st_size < 65536 and b"PRIVATE KEY" in file.read_bytes():
                return str(file)
        sys.exit("there is no key beside " + self.certificate)

    def call(self, method, path, body=None, name="admin"):
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=120, context=context)
        connection.request(method, path, body, {"Authorization": "Bearer " + token(name)})
        answer = connection.getresponse()
        return answer.status, answer.read()


class LossyProxy:
    """Hands all requests on to the lab; of the first POST it loses the answer and says 503."""

    def __init__(self, lab):
        lost = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                context = ssl.create_default_context(cafile=lab.certificate)
                server = http.client.HTTPSConnection("localhost", lab.port, timeout=120, context=context)
                server.request(self.command, self.path, body, dict(self.headers))
                answer = server.getresponse()
                content = answer.read()
                status = answer.status
                if self.command == "POST":
                    proxy.posts.append((status, self.headers.get("x-ms-client-request-id")))
                    if not lost:
                        lost.append(True)
                        status, content = 503, b""
                self.send_response(status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, *arguments):
                pass

        self.posts = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(lab.certificate, lab.key())
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.endpoint = f"https://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def environment(**more):
    """Ours, without what would lead a client elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, **more}
