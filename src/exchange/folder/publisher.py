"""Keeps a site's files in the folder up to date, in a thread: the folder may be slow, full or gone, and the site trains on."""

import logging
import threading

from src.exchange.folder.publication import FolderPublication
from src.exchange.folder.shared_file import FileFault
from src.exchange.transport import PeerRefused

logger = logging.getLogger(__name__)

_PAUSE_S = 2.0


class FolderPublisher:
    """The served side of a site in the folder, as ``ExchangeServer`` is on the network.

    Args:
        publication: what is kept up to date; nobody else may renew it once this has started.
        pause_s: between looks at the site and at the others' certificates.
    """

    def __init__(self, publication: FolderPublication, pause_s: float = _PAUSE_S) -> None:
        self._publication, self._pause_s = publication, pause_s
        self._awake, self._stopping = threading.Event(), threading.Event()
        # A mount that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, daemon=True, name="exchange-publisher")
        self._complaint = ""

    def start(self) -> None:
        """Begins to publish."""
        self._thread.start()

    def wake(self) -> None:
        """Has the site looked at now rather than soon; does not wait."""
        self._awake.set()

    def stop(self, grace_s: float) -> None:
        """Publishes what the site is at its end, which stays in the folder; waits ``grace_s`` seconds for that at most."""
        self._stopping.set()
        self._awake.set()
        self._thread.join(grace_s)
        if self._thread.is_alive():
            logger.warning("the folder is slow: the last card of this site may be missing in it")

    def _run(self) -> None:
        while True:
            is_last = self._stopping.is_set()
            self._renew()
            if is_last:
                return
            self._awake.wait(self._pause_s)
            self._awake.clear()

    def _renew(self) -> None:
        try:
            self._publication.renew()
            self._complaint = ""
        except (OSError, FileFault, PeerRefused) as error:
            said = getattr(error, "strerror", None) or str(error)
            if said != self._complaint:  # once for a fault that lasts
                logger.warning("nothing can be published in the folder now, it is tried again (%s)", said)
                self._complaint = said
        except Exception:
            logger.exception("what this site offers was not put into the folder")
