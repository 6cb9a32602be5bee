#!/usr/bin/env python3
"""Replay beside tcpdump and tcprewrite on the same file: packets a second and ratios, best of several rounds,
interleaved, so that a noisy machine is noisy for all. Files lie in memory where /dev/shm is.

    tests/bench/replay_rivals.py [--packets N] [--rounds N] [--portcullis BIN] [--synth BIN]

Wall-clock time of the whole process, start-up and the last write included, into a new file each time. All three are one
thread. Outputs are checked: portcullis must forward every packet, and each classic pcap must be as long as the input.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

PORTS = 64  # listeners, each with a VM of its own


def configuration():
    text = """[firewall]
name = "bench"
public_ips = ["203.0.113.10"]
instance_ip = "10.0.1.5"
[[nat_rule_collection]]
name = "bench"
priority = 200
"""
    for n in range(PORTS):
        text += f"""  [[nat_rule_collection.rule]]
  name = "udp-{n}"
  protocols = ["UDP"]
  source_addresses = ["*"]
  destination_addresses = ["203.0.113.10"]
  destination_ports = ["{40000 + n}"]
  translated_address = "10.1.{n // 200}.{4 + n % 200}"
  translated_port = "53"
"""
    return text


def timed(command, output):
    """Seconds that a command takes to write `output`, which is not there before."""
    if os.path.exists(output):
        os.unlink(output)
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    took = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.decode()}")
    return took


def run_case(options, folder, label, size, suffix, with_tcprewrite):
    packets = options.packets if size < 500 else options.packets // 5
    source = os.path.join(folder, "in" + suffix)
    subprocess.run([options.synth, "flows", "--packets", str(packets), "--flows", "65536", "--random-order", "--size", str(size),
                    "--ports", f"40000-{40000 + PORTS - 1}", "--interval", "PT0.0000002S", source], check=True, stderr=subprocess.DEVNULL)
    config = os.path.join(folder, "bench.toml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(configuration())
    summary = os.path.join(folder, "summary.json")
    outputs = {name: os.path.join(folder, f"{name}{suffix}") for name in ("portcullis", "tcpdump", "tcprewrite")}
    commands = {
        "portcullis": [options.portcullis, "replay", "--config", config, "--quiet", "--summary-json", summary, source,
                       "--write", outputs["portcullis"]],
        "tcpdump": ["tcpdump", "-r", source, "-w", outputs["tcpdump"]],
    }
    if with_tcprewrite:
        portmap = ",".join(f"{40000 + n}:53" for n in range(PORTS))
        commands["tcprewrite"] = ["tcprewrite", f"--portmap={portmap}", "--dstipmap=203.0.113.10/32:10.1.0.4/32", "-i", source,
                                  "-o", outputs["tcprewrite"]]
    best = {}
    for _ in range(options.rounds):
        for name, command in commands.items():
            best[name] = min(best.get(name, 1e9), timed(command, outputs[name]))
    with open(summary, encoding="utf-8") as file:
        forwarded = json.load(file)["forwarded"]
    if forwarded != packets:
        sys.exit(f"{label}: {forwarded} of {packets} packets were forwarded")
    for name in commands if suffix == ".pcap" else []:
        if os.path.getsize(outputs[name]) != os.path.getsize(source):
            sys.exit(f"{label}: {name} wrote {os.path.getsize(outputs[name])} bytes of {os.path.getsize(source)}")
    line = f"{label:<22}{packets:>9} packets  portcullis {packets / best['portcullis'] / 1e6:6.2f} M/s"
    for name in list(commands)[1:]:
        line += f"   {name} {packets / best[name] / 1e6:5.2f} M/s ({best[name] / best['portcullis']:.2f}x)"
    print(line, flush=True)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    build = os.path.join(here, "..", "..", "build", "release", "tools")
    parser.add_argument("--portcullis", default=os.path.join(build, "portcullis", "portcullis"))
    parser.add_argument("--synth", default=os.path.join(build, "synth", "synth"))
    parser.add_argument("--packets", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if not shutil.which("tcpdump"):
        print("skipped: tcpdump is not installed")
        sys.exit(77)
    has_tcprewrite = shutil.which("tcprewrite") is not None
    if not has_tcprewrite:
        print("tcprewrite is not installed (apt-get install tcpreplay): its column is missing")
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        run_case(options, folder, "pcap, 60 bytes", 60, ".pcap", has_tcprewrite)
        run_case(options, folder, "pcap, 590 bytes", 590, ".pcap", has_tcprewrite)
        run_case(options, folder, "pcap, 1400 bytes", 1400, ".pcap", has_tcprewrite)
        run_case(options, folder, "pcapng, 60 bytes", 60, ".pcapng", False)


if __name__ == "__main__":
    main()
