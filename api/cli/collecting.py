"""How often Python looks for circles of objects, in processes that make many and no circle."""

import gc
from functools import cache

# Objects made and not yet gone before Python looks for circles of them.
_OBJECTS = 50_000


@cache
def rarely_collecting() -> None:
    """Look for circles of objects more rarely than Python does by itself: once in 700 new ones.
    Once a process.

    A batch of a thousand events, or a statement of a hundred thousand lines, makes many objects and
    no circle; the looking took a third of the time. What was imported stays for good, and is not
    looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS, 20, 20)
