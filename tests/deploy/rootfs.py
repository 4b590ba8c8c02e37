"""Folders that become the root of commands, in namespaces of their own: under overlays, this
machine's /usr and /etc stand for a base image, with this Python at /usr/local. There is no network
but the loopback address.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = Path(sys.base_prefix)
# Of Debian's merged /usr.
_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
# Nothing is left mounted and no process left, however the test ends: with the first process of a
# namespace go all others. (unshare's own --kill-child is forgotten at the change of user.)
_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
# As an engine starts it, also below a shell that ignores Ctrl-C for what it runs in the background.
_HEARING = ("env", "--default-signal=INT")
_UNSHARED = (*_HEARING, *_WITH_PARENT, "unshare", "--mount", "--pid", "--net", "--fork")
_ENTER = f"""
set -eu
root=$1 user=$2 workdir=$3 volumes=$4 mode=$5; shift 5
ip link set lo up
mount --bind "$root" "$root"
over() {{
  mount -t overlay overlay "$root/$1" \
    -o "lowerdir=$2,upperdir=$root.layer/$3,workdir=$root.layer/$3.work"
}}
over usr /usr usr
over usr/local {PYTHON} python
over etc /etc etc
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
for volume in $volumes; do
  case $volume in
    /dev/shm|/tmp) mount -t tmpfs -o nosuid,nodev,noexec,mode=1777 tmpfs "$root$volume" ;;
    *) mount --bind "$root.volumes$volume" "$root$volume" ;;
  esac
done
if [ "$mode" = ro ]; then
  for name in /usr/local /usr /etc ""; do mount -o remount,bind,ro "$root$name"; done
fi
exec chroot --userspec="$user" "$root" sh -c 'cd "$0" && exec {" ".join(_WITH_PARENT)} "$@"' \
  "$workdir" "$@"
"""


@dataclass(slots=True)
class Image:
    """A file system, and what its commands are run with."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def path(self, inside: str) -> Path:
        """Where the path of the image lies here, to write to."""
        full = os.path.join(self.workdir, inside)
        layer = full.startswith(("/usr/", "/etc/"))
        return Path(f"{self.root}.layer" if layer else self.root) / full.lstrip("/")


def why_not() -> str:
    """Why no such root can be made here; empty where it can."""
    if os.geteuid() != 0:
        return "it takes root"
    tried = subprocess.run([*_UNSHARED, "ip", "link"], capture_output=True, text=True)
    return tried.stderr.strip() if tried.returncode else ""


def base(root: Path, wheels: Path) -> Image:
    """What an image of Python has: the system's programs, and ``python``; wheels at /wheels."""
    for name in ("dev", "proc", "tmp", "opt", "root", "var/lib", "usr", "etc", "wheels"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name, target in _LINKS.items():
        (root / name).symlink_to(target)
    layer = Path(f"{root}.layer")
    for folder in ("usr", "python", "etc"):
        (layer / folder).mkdir(parents=True)
        (layer / f"{folder}.work").mkdir()
    Path(f"{root}.volumes").mkdir()
    Path(f"{root}.volumes/wheels").symlink_to(wheels)
    path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    return Image(root, {"PATH": path, "HOME": "/root", "LD_LIBRARY_PATH": "/usr/local/lib"})


def inside(
    image: Image, command: list[str], *, volumes: tuple[str, ...] = (), writable: bool = True
) -> list[str]:
    """The command line that runs the command in the image, as its user.

    Volumes are writable: of memory and without programs at /tmp and /dev/shm, else the folder of
    that name below ``ROOT.volumes``.
    """
    mode = "rw" if writable else "ro"
    settings = (str(image.root), image.user, image.workdir, " ".join(volumes), mode)
    return [*_UNSHARED, "bash", "-c", _ENTER, "bash", *settings, *command]


def run(
    image: Image, command: list[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """The command in the image, to its end; errors are in its output."""
    return subprocess.run(
        inside(image, command, volumes=("/wheels",)),
        env={**image.environment, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def first_process(process: subprocess.Popen[bytes]) -> int:
    """The id of the command that ``inside`` started in this process, once it has."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not children.read_text():
        time.sleep(0.05)
    return int(children.read_text().split()[0])


def beside(process: subprocess.Popen[bytes], image: Image, command: list[str]) -> list[str]:
    """The command line that runs the command where ``inside`` started this process."""
    target = str(first_process(process))
    enter = ["nsenter", "--target", target, "--mount", "--pid", "--net"]
    return [*enter, "chroot", f"--userspec={image.user}", str(image.root), *command]
