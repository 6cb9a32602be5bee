#!/usr/bin/env python3
"""The Debian package on a machine of its own: this one's files under an overlay that is thrown away, with a real systemd.

Usage: PORTCULLIS_PACKAGE=1 package.py BUILD_FOLDER
Makes the package with cpack, installs it without systemd, then boots, and goes on as appliance.py there.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import namespaces

HERE = pathlib.Path(__file__).resolve().parent
UNIT = """
[Service]
Type=oneshot
StandardOutput=append:/var/test/log
StandardError=inherit
Environment=PYTHONUNBUFFERED=1
ExecStart=python3 -B /var/test/appliance.py
ExecStopPost=poweroff --force --no-sync
"""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True, **options)


def make_package(build, folder):
    run("cpack", "--config", build / "CPackConfig.cmake", "-B", folder, stdout=subprocess.DEVNULL, cwd=folder)
    package, = folder.glob("*.deb")
    return package


def newer(package, folder):
    """The same package, as the next version."""
    run("dpkg-deb", "--raw-extract", package, folder / "raw")
    control = folder / "raw/DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 9:"))
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", folder / "raw", folder / "newer.deb", stdout=subprocess.DEVNULL)
    return folder / "newer.deb"


def overlay(folder):
    """This machine's files; what is written to them goes to memory."""
    run("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", folder)
    for name in ["upper", "work", "root"]:
        (folder / name).mkdir()
    root = folder / "root"
    mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                              f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work", str(root)], check=False)
    if mounted.returncode != 0:
        namespaces.skip("this kernel cannot put an overlay on /")
    (root / "var/test").mkdir()
    (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)  # an image's word that services must not start
    (root / "var/lib/man-db/auto-update").unlink(missing_ok=True)  # an index of all manuals takes its time
    (root / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")
    for name in ["portcullis.service", "portcullis.service.d"]:  # of whoever uses this machine
        if (root / "etc/systemd/system" / name).exists():
            namespaces.skip(f"this machine has a {name} of its own")
    if subprocess.run(["dpkg-query", "-W", "portcullis"], capture_output=True, check=False).returncode == 0:
        namespaces.skip("portcullis is installed here")
    return root


def without_systemd(root):
    """As in a container's image: nothing runs, nothing is started."""
    run("mount", "-t", "tmpfs", "tmpfs", root / "run")
    run("mount", "-t", "proc", "proc", root / "proc")
    for command in [["--install", "/var/test/first.deb"], ["--purge", "portcullis"]]:
        run("chroot", root, "dpkg", *command, stdout=subprocess.DEVNULL)
    left = [path for path in ["etc/portcullis", "usr/bin/portcullis", "var/lib/portcullis"] if (root / path).exists()]
    assert not left, left
    run("umount", root / "proc", root / "run")


def boot(root):
    (root / "etc/machine-id").unlink(missing_ok=True)
    (root / "etc/machine-id").touch()
    units = root / "etc/systemd/system"
    (units / "package-test.service").write_text(UNIT)
    (units / "package-test.target").write_text("[Unit]\nRequires=package-test.service\n")
    told = subprocess.run(["systemd-nspawn", "--register=no", "--keep-unit", "--quiet", f"--directory={root}", "--private-network",
                           "--capability=all", "--system-call-filter=bpf", "--console=pipe", "--boot", "systemd.unit=package-test.target"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200, check=False)
    log = root / "var/test/log"
    if not log.exists():
        namespaces.skip(f"systemd does not boot here: {told.stdout}{told.stderr}")
    print(log.read_text(), end="")
    return ", 0 failures\n" in log.read_text()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    if "PORTCULLIS_PACKAGE" not in os.environ:
        namespaces.skip("takes half a minute: set PORTCULLIS_PACKAGE to run it")
    namespaces.require("systemd-nspawn", "cpack", "dpkg-deb", "unshare", "mount")
    if os.environ.get("PORTCULLIS_PACKAGE_TEST") != str(os.getppid()):
        environment = os.environ | {"PORTCULLIS_PACKAGE_TEST": str(os.getpid())}
        sys.exit(subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv],
                                env=environment, check=False).returncode)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        package = make_package(build, folder)
        print(f"{package.name}: {package.stat().st_size >> 10} KiB")
        if shutil.which("lintian"):
            run("lintian", "--no-cfg", "--allow-root", "--fail-on=error", "--suppress-tags=bogus-mail-host,bogus-mail-host-in-debian-changelog",
                package)  # nobody has an address
        (folder / "machine").mkdir()
        root = overlay(folder / "machine")
        try:
            shutil.copy(package, root / "var/test/first.deb")
            shutil.copy(newer(package, folder), root / "var/test/second.deb")
            shutil.copy(HERE / "appliance.py", root / "var/test")
            without_systemd(root)
            good = boot(root)
        finally:
            run("umount", "--recursive", "--lazy", folder / "machine")
    sys.exit(0 if good else 1)


main()
