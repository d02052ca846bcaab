"""Reading Prometheus' text format, as far as an exporter of GPUs writes it.

Source: Prometheus, "Exposition formats", text format 0.0.4, read 2026-11-30.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?\s*')
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n"}
# Sets of labels of one exporter: the same from scrape to scrape while jobs last.
_MOST_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series. text: the number as it stands there."""

    name: str
    labels: Mapping[str, str]
    text: str


@dataclass(slots=True)
class SampleReader:
    """Reads scrapes. Labels that were read before are not read again."""

    _known: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def samples(self, text: str, names: Collection[str]) -> Iterator[Sample]:
        """Samples of some names. Raises ValueError for a line that cannot be read."""
        for line in text.splitlines():
            if not line or line[0] == "#":
                continue
            name, brace, rest = line.partition("{")
            if not brace:
                name, _, value = line.partition(" ")
                if name in names:
                    yield Sample(name, {}, value.split()[0] if value.split() else "")
                continue
            if name.strip() not in names:
                continue
            labels, value = self._labels(rest)
            yield Sample(name.strip(), labels, value)

    def _labels(self, rest: str) -> tuple[Mapping[str, str], str]:
        """Labels and value of what stands behind the opening brace."""
        # A value has no brace: the last one closes the labels.
        text, brace, after = rest.rpartition("}")
        words = after.split()
        if not brace or not words:
            raise ValueError(f"no series: {rest[:80]!r}")
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            known = self._known[text] = _read_labels(text)
        return known, words[0]


def _read_labels(text: str) -> Mapping[str, str]:
    labels: dict[str, str] = {}
    at = 0
    text = text.strip()
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            raise ValueError(f"no labels: {text[at : at + 80]!r}")
        value = match[2]
        if "\\" in value:
            value = _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), value)
        labels[match[1]] = value
        at = match.end()
    return labels
