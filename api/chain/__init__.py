"""The chain side: RPC, calldata, typed reads, event decoding, signing. No database."""

import sys

_limit = sys.getrecursionlimit()
# web3 brings py_ecc, which raises the recursion limit to 100,000 for the whole process: deeply
# nested JSON would then overflow the C stack, and kill the service, instead of raising.
import web3  # noqa: E402, F401

sys.setrecursionlimit(_limit)
