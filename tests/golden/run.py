#!/usr/bin/env python3
"""Runs golden cases: configuration, scenario and input of a case, and byte for byte what must come of them.

Usage: run.py PORTCULLIS [--regen] [CASE…]

--regen writes what came as what is expected: read the diff before committing it.
"""

import concurrent.futures
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "e2e"))

import dump

OUTPUTS = {
    "capture": ("--write", "output.pcapng", "output.txt"),
    "pcap": ("--write", "output.pcap", "output.txt"),
    "annotated": ("--annotate", "annotated.pcapng", "annotated.txt"),
    "decisions": ("--decisions", "decisions.jsonl", "decisions.jsonl"),
    "azure": ("--azure-log", "azure.jsonl", "azure.jsonl"),
    "summary": ("--summary-json", "summary.json", "summary.json"),
}
SECONDS = 600


class Case:
    """The files of a folder. case.txt says in comments what the case shows; its other lines, all optional, are
    `command: check` (replay), `arguments: …` (`--vantage both` with an input.pcapng), `config: ../jit.toml`
    (config.toml, or else ../lab.toml), `outputs: …` (capture decisions azure summary), where `table` is the summary
    for a person."""

    def __init__(self, folder):
        self.folder = folder
        both = (folder / "input.pcapng").exists()
        self.settings = {"command": "replay", "arguments": "--vantage both" if both else "",
                         "outputs": "capture decisions azure summary",
                         "config": "config.toml" if (folder / "config.toml").exists() else "../lab.toml"}
        for line in (folder / "case.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                key, _, value = line.partition(":")
                if key not in self.settings:
                    raise ValueError(f"{folder.name}/case.txt: unknown setting {key}")
                self.settings[key] = value.strip()
        self.outputs = self.settings["outputs"].split() if self.settings["command"] == "replay" else ["table"]

    def arguments(self, scratch):
        words = [self.settings["command"], *self.settings["arguments"].split(), "--config", self.settings["config"]]
        if self.settings["command"] != "replay":
            return words
        if (self.folder / "scenario.toml").exists():
            words += ["--scenario", "scenario.toml"]
        if (self.folder / "outside.pcap").exists():
            words += ["--outside", "outside.pcap", "--inside", "inside.pcap"]
        elif "-" not in words:
            words += [path.name for path in self.folder.glob("input.pcap*")]
        for output in self.outputs:
            if output != "table":
                words += [OUTPUTS[output][0], str(scratch / OUTPUTS[output][1])]
        return words + ([] if "table" in self.outputs else ["--quiet"])

    def run(self, binary):
        """What came, as texts by file name."""
        with tempfile.TemporaryDirectory() as scratch:
            words = self.arguments(pathlib.Path(scratch))
            piped = next(self.folder.glob("input.pcap*")).read_bytes() if "-" in words else b""
            ran = subprocess.run([binary, *words], cwd=self.folder, input=piped, capture_output=True, timeout=SECONDS)
            came = {"exit.txt": f"{ran.returncode}\n" if ran.returncode else "",
                    "stderr.txt": ran.stderr.decode().replace(scratch + "/", ""),
                    "table.txt": re.sub(r"replayed in [0-9.]+ s", "replayed in … s", ran.stdout.decode())}
            for output in self.outputs:
                if output != "table" and (pathlib.Path(scratch) / OUTPUTS[output][1]).exists():
                    came[OUTPUTS[output][2]] = _readable((pathlib.Path(scratch) / OUTPUTS[output][1]).read_bytes())
        return {name: text for name, text in came.items() if text}


def _readable(data):
    if data.startswith(b'{"packets"'):
        summary = json.loads(data)
        del summary["seconds"], summary["packets_per_second"]
        return json.dumps(summary, indent=2) + "\n"
    if data[:4] in (b"\x0a\x0d\x0d\x0a", b"\x4d\x3c\xb2\xa1"):
        return dump.text_of(data)
    return data.decode()


def inconsistencies(came):
    """What cannot be true whatever is expected: the outputs of one run contradict each other."""
    if not {"summary.json", "decisions.jsonl"} <= came.keys():
        return
    summary = json.loads(came["summary.json"])
    reasons = {}
    fates = {"forward": 0, "drop": 0, "ignore": 0}
    for line in came["decisions.jsonl"].splitlines():
        decision = json.loads(line)
        fates[decision["fate"]] += 1
        reasons[decision["reason"]] = reasons.get(decision["reason"], 0) + 1
    if sum(fates.values()) != summary["packets"]:
        yield f"{summary['packets']} packets, but {sum(fates.values())} decisions"
    if list(fates.values()) != [summary[name] for name in ("forwarded", "dropped", "ignored")]:
        yield f"the summary has other numbers than the decisions: {fates}"
    if reasons != summary["reasons"]:
        yield f"the summary has other reasons than the decisions: {reasons}"


def differences(case, came):
    expected = {path.name: path.read_text() for path in (case.folder / "expected").glob("*")}
    for name in sorted(expected.keys() | came.keys()):
        yield from difflib.unified_diff(expected.get(name, "").splitlines(True), came.get(name, "").splitlines(True),
                                        f"{case.folder.name}/expected/{name}", "what came")


def regenerate(case, came):
    folder = case.folder / "expected"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name not in came:
            path.unlink()
    for name, text in came.items():
        (folder / name).write_text(text)


def judge(folder, binary, regen):
    """What is wrong with a case, as lines to print."""
    case = Case(folder)
    try:
        came = case.run(binary)
    except subprocess.TimeoutExpired:
        return [f"{folder.name}: does not end within {SECONDS} s\n"]
    if regen:
        regenerate(case, came)
    return [*(f"{folder.name}: {text}\n" for text in inconsistencies(came)), *differences(case, came)]


def main(arguments):
    binary, *names = [argument for argument in arguments if argument != "--regen"]
    binary = str(pathlib.Path(binary).resolve())
    folders = [HERE / name for name in names] or sorted(path.parent for path in HERE.glob("*/case.txt"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda folder: judge(folder, binary, "--regen" in arguments), folders))
    failed = [folder.name for folder, wrong in zip(folders, results) if wrong]
    for wrong in results:
        sys.stdout.writelines(wrong)
    for name in failed:
        print(f"FAILED: {name}")
    print(f"{len(folders)} cases, {len(failed)} failed")
    return 1 if failed or not folders else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
