#!/usr/bin/env python3
"""Azure's own clients, unchanged, against `portcullis run`: its SDKs for JavaScript and Python, `az`, and curl.

Usage: clients.py PORTCULLIS FOLDER    (FOLDER: where npm installs; it is kept for the next run)

What they need is in .ci/packages-clients.txt; tools/test --clients installs it and runs this. Without PORTCULLIS_CLIENTS in
the environment it is skipped.
"""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import live_lab
from clients_lab import GROUP, POLICY, SUBSCRIPTION, LossyProxy, Lab, environment, machine_id, token

HERE = pathlib.Path(__file__).resolve().parent
VERSION = "api-version=2020-01-01"


def run(command, cwd=None, **variables):
    """The output of a command that must succeed."""
    done = subprocess.run(command, cwd=cwd, env=environment(**variables), capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))[:200]}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(what, value, wanted):
    if value != wanted:
        sys.exit(f"{what}: wanted {wanted!r}, got {value!r}")
    print("ok", what)


def javascript(lab, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(HERE / "clients_js" / name, folder)
    run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)
    proxy = LossyProxy(lab)
    print(run(["node", "client.mjs"], cwd=folder, ENDPOINT=lab.endpoint, PROXY=proxy.endpoint, TOKEN=token("admin"),
              OTHER_TOKEN=token("nobody"), SUBSCRIPTION=SUBSCRIPTION, NODE_EXTRA_CA_CERTS=lab.certificate), end="")
    proxy.close()
    expect("the client repeated its POST with the same id", (len(proxy.posts), len(set(proxy.posts))), (2, 1))


def through_the_gateway(binary, folder):
    """The SDK for JavaScript opens a door of the live gateway, and ssh goes through it."""
    if os.geteuid() != 0:
        print("skipped: the live gateway needs root")
        return
    shutil.copy(HERE / "clients_js/door.mjs", folder)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        lab = live_lab.Lab(binary, name)
        ssh = live_lab.serve_ssh(lab, running)
        lab.start()
        running.callback(lab.stop)
        expect("no door is open", live_lab.is_closed(lab.client, live_lab.CLIENT, 50022), True)
        door = lab.gateway.run("node", "door.mjs", cwd=folder, capture_output=True, timeout=300, env=environment(
            ENDPOINT="https://localhost:8443", TOKEN=live_lab.TOKENS["operator@lab.example"], SUBSCRIPTION=SUBSCRIPTION,
            SOURCE=live_lab.CLIENT, NODE_EXTRA_CA_CERTS=f"{name}/portcullis-cert.pem"), check=False)
        expect("the SDK is told the mapped port", door.stdout + door.stderr, "50022\n")
        said = lab.client.run("ssh", *ssh, "-p", door.stdout.strip(), f"root@{live_lab.PUBLIC}", "echo inside", capture_output=True,
                              check=False)
        expect("ssh goes through the door", said.stdout + said.stderr, "inside\n")


def azure_cli(lab):
    home = lab.folder / "azure"
    url = lab.endpoint
    variables = {
        "AZURE_CONFIG_DIR": str(home), "REQUESTS_CA_BUNDLE": lab.certificate, "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "MSI_ENDPOINT": f"http://127.0.0.1:{lab.sign_in_port}/oauth2/token", "AZURE_CORE_NO_COLOR": "yes",
    }

    def az(*words):
        return run(["az", *words, "--output", "json"], **variables)

    az("cloud", "register", "-n", "local", "--endpoint-resource-manager", url, "--endpoint-active-directory",
       url + "/aad", "--endpoint-active-directory-resource-id", url + "/", "--endpoint-management", url,
       "--endpoint-active-directory-graph-resource-id", url + "/")
    az("cloud", "set", "-n", "local")
    signed_in = json.loads(az("login", "--identity"))
    expect("az login --identity", [one["id"] for one in signed_in], [SUBSCRIPTION])
    listed = json.loads(az("security", "jit-policy", "list"))
    expect("az security jit-policy list", [one["name"] for one in listed], ["default"])
    shown = json.loads(az("security", "jit-policy", "show", "-l", "westeurope", "-n", "default", "-g", "lab"))
    expect("az security jit-policy show", (shown["id"], shown["resourceGroup"]), (POLICY, "lab"))
    body = {"virtualMachines": [{"id": machine_id("web01"), "ports": [{"number": 22, "duration": "PT1H"}]}]}
    answer = json.loads(az("rest", "--method", "post", "--url", f"{POLICY}/initiate?{VERSION}", "--body",
                           json.dumps(body)))
    expect("az rest, initiate", (answer["requestor"], answer["virtualMachines"][0]["ports"][0]["mappedPort"]),
           ("requester@lab.example", 50022))


def python_sdk(lab):
    script = f"""
import datetime
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.mgmt.security import SecurityCenter
from azure.mgmt.security import models

class Credential:
    def get_token(self, *scopes, **options):
        return AccessToken({token("admin")!r}, 4102444800)

client = SecurityCenter(Credential(), {SUBSCRIPTION!r}, base_url={lab.endpoint!r}, credential_scopes=["x/.default"])
jit = client.jit_network_access_policies
print([policy.name for policy in jit.list()])
print(jit.get("lab", "westeurope", "default").provisioning_state)
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
port = models.JitNetworkAccessPolicyInitiatePort(number=22, end_time_utc=end)
machine = models.JitNetworkAccessPolicyInitiateVirtualMachine(id={machine_id("web01")!r}, ports=[port])
body = models.JitNetworkAccessPolicyInitiateRequest(virtual_machines=[machine], justification="patching")
print(jit.initiate("lab", "westeurope", "default", body).virtual_machines[0].ports[0].status)
extra = models.JitNetworkAccessPolicy(virtual_machines=[])
print(jit.create_or_update("lab", "westeurope", "extra", extra).provisioning_state)
print(jit.delete("lab", "westeurope", "extra"), jit.delete("lab", "westeurope", "extra"))
try:
    jit.get("lab", "westeurope", "nope")
except HttpResponseError as error:
    print(error.status_code, error.error.code)
"""
    output = run(["/usr/bin/python3", "-W", "ignore", "-c", script], REQUESTS_CA_BUNDLE=lab.certificate)
    expect("the SDK for Python", output.split("\n")[:-1],
           ["['default']", "Succeeded", "Initiating", "Updating", "None None", "404 PolicyNotFound"])


def curl(lab):
    def ask(*words):
        return run(["curl", "-sS", "--cacert", lab.certificate, "-H", "Authorization: Bearer " + token("admin"),
                    "-w", "\n%{http_code}", *words]).rsplit("\n", 1)

    body, status = ask(f"{lab.endpoint}{GROUP}/providers/Microsoft.Security/jitNetworkAccessPolicies?{VERSION}")
    expect("curl, list", (status, json.loads(body)["value"][0]["name"]), ("200", "default"))
    request = {"machine": "web01", "ports": [{"number": 22, "duration": "PT1H"}]}
    body, status = ask(f"{lab.endpoint}/portcullis/v1/requests", "-d", json.dumps(request))
    expect("curl, request", (status, json.loads(body)["machines"][0]["ports"][0]["command"]),
           ("202", "ssh -p 50022 USER@203.0.113.10"))
    body, status = ask("--http1.0", "-I", f"{lab.endpoint}{POLICY}?{VERSION}")
    expect("curl, HEAD", (status, "Content-Type: application/json" in body), ("200", True))


def main():
    if "PORTCULLIS_CLIENTS" not in os.environ:
        print("skipped: tools/test --clients runs this, after it has installed the clients")
        sys.exit(77)
    binary, folder = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    with Lab(binary) as lab:
        javascript(lab, folder)
        curl(lab)
        python_sdk(lab)
        azure_cli(lab)
        through_the_gateway(binary, folder)
        expect("nothing in the log is an error", "error" in lab.log.read_text().lower(), False)


if __name__ == "__main__":
    main()
