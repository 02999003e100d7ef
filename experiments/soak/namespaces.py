"""Network namespaces, one per site, each with a TUN device whose other end is a file of this process.

What a site sends comes out of that file as whole IP packets, checksums and all, and what is written to it the site receives: so
its TCP is the kernel's own, and the network between the sites is ours. There is no other way out of such a namespace.
"""

import fcntl
import os
import struct
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from src.errors import OarError

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_TUN = Path("/dev/net/tun")
PREFIX_LENGTH = 24


class NoNamespaces(OarError):
    """This machine does not give network namespaces to this user."""


def address_of(number: int) -> str:
    """The address of the site of that number, from 0."""
    return f"10.77.0.{number + 1}"


class Namespaces:
    """A context manager: the namespaces are there inside, and gone afterwards, with every device.

    Args:
        addresses: IPv4 address by site.
        extra: further addresses of a site, at which it answers when packets for them come to it.

    Attributes:
        files: site -> file descriptor of its TUN device, not blocking.

    Raises:
        NoNamespaces: on entering, where they or TUN devices are refused; says so in a sentence.
    """

    def __init__(self, addresses: Mapping[str, str], extra: Mapping[str, Sequence[str]] | None = None) -> None:
        self.addresses, self._extra = dict(addresses), dict(extra or {})
        self.files: dict[str, int] = {}
        # Several soaks may run beside each other; names of devices have at most 15 letters.
        self._names = {site: f"soak{os.getpid()}n{number}" for number, site in enumerate(self.addresses)}

    def __enter__(self) -> "Namespaces":
        try:
            for site in self.addresses:
                self._make(site)
        except BaseException as error:
            self.__exit__()
            if isinstance(error, OSError | subprocess.CalledProcessError):
                found = getattr(error, "stderr", None) or error
                raise NoNamespaces(
                    f"expected to make network namespaces and TUN devices, found that this machine refuses them ({found}); "
                    "the soak needs Linux, root, the command 'ip' and /dev/net/tun"
                ) from error
            raise
        return self

    def __exit__(self, *_) -> None:
        for file in self.files.values():
            os.close(file)
        self.files.clear()
        for name in self._names.values():
            with suppress(FileNotFoundError):  # no command ip, so nothing to delete
                subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def command(self, site: str, *arguments: str) -> list[str]:
        """A command line that runs a command in a site's namespace."""
        return ["ip", "netns", "exec", self._names[site], *arguments]

    def _make(self, site: str) -> None:
        name = self._names[site]
        _ip("netns", "add", name)
        self.files[site] = _open_tun(name)
        _ip("link", "set", name, "netns", name)
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "addr", "add", f"{self.addresses[site]}/{PREFIX_LENGTH}", "dev", name)
        for address in self._extra.get(site, ()):
            _ip("-n", name, "addr", "add", f"{address}/32", "dev", name)
        _ip("-n", name, "link", "set", name, "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def _open_tun(name: str) -> int:
    file = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(file, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except BaseException:
        os.close(file)
        raise
    return file
