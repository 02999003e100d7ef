"""Normal numbers that nobody can foretell who has not the key, and that come again for who has.

AES-256 in counter mode under a key of its own for each label (HMAC-SHA256 of the label) gives uniform bits; Box and Muller (A
Note on the Generation of Random Normal Deviates, Ann. Math. Statist. 29, 1958) make normal numbers of them. They are rounded to
floating point, which the theory of the Gaussian mechanism does not know of (Mironov 2012, doi:10.1145/2382196.2382264).
"""

import hashlib
import hmac

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

_BITS = 53  # of a float64's significand
_PAIRS_AT_A_TIME = 2**18


class KeyedNormal:
    """A stream of independent normal numbers.

    Args:
        key: secret, 32 bytes.
        label: another label gives another stream.
    """

    def __init__(self, key: bytes, label: bytes) -> None:
        if len(key) != 32:
            raise ValueError(f"expected a key of 32 bytes, found {len(key)}")
        self._stream = Cipher(AES(hmac.digest(key, label, hashlib.sha256)), CTR(bytes(16))).encryptor()

    def draw(self, count: int) -> np.ndarray:
        """The next numbers, of mean 0 and variance 1.

        Args:
            count: at least 0.

        Returns:
            float64, shape (count,).
        """
        drawn = np.empty(count)
        for begin in range(0, count, 2 * _PAIRS_AT_A_TIME):
            size = min(2 * _PAIRS_AT_A_TIME, count - begin)
            drawn[begin : begin + size] = self._pairs(-(-size // 2)).reshape(-1)[:size]
        return drawn

    def _pairs(self, count: int) -> np.ndarray:
        first, second = self._uniform(count), self._uniform(count)
        # 1 − u is never 0, and 0 has no logarithm.
        radius, angle = np.sqrt(-2 * np.log1p(-first)), 2 * np.pi * second
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

    def _uniform(self, count: int) -> np.ndarray:
        """From 0 to below 1."""
        bits = np.frombuffer(self._stream.update(bytes(8 * count)), dtype="<u8") >> np.uint64(64 - _BITS)
        return bits.astype(np.float64) * 2.0**-_BITS
