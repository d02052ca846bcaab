"""Reading a table of the settings: each key once, of its type, and none left over."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from api.errors import AppError


class SettingsWrong(AppError):
    """The settings file breaks a rule. The message names the key."""

    status = 422
    code = "settings_file"


class SettingsTable:
    """A table whose keys are taken one by one. What nobody took is misspelt."""

    def __init__(self, name: str, values: object, *, folder: Path) -> None:
        """folder: of the settings file; paths are relative to it. Raises SettingsWrong."""
        if not isinstance(values, dict):
            raise SettingsWrong(f"[{name}] must be a table")
        self._name, self._values, self._folder = name, dict(values), folder

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def _take(self, key: str, kind: type, what: str, default: object) -> object:
        value = self._values.pop(key, default)
        # `true` is no number, though Python counts it as one.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"must be {what}")
        return value

    def wrong(self, key: str, message: str) -> SettingsWrong:
        """An error about a key."""
        where = f"[{self._name}] {key}" if self._name else key
        return SettingsWrong(f"{where}: {message}")

    def text(self, key: str, default: str | None = None) -> str:
        """Text that is not empty, unless the default is."""
        value = str(self._take(key, str, "text", default))
        if not value and default != "":
            raise self.wrong(key, "must not be empty")
        return value

    def number(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number."""
        value = self._take(key, int, "a whole number", default)
        assert isinstance(value, int)
        if not low <= value <= high:
            raise self.wrong(key, f"must be {low} to {high}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        return bool(self._take(key, bool, "true or false", default))

    def path(self, key: str, default: str | None = None) -> Path:
        """A path; a relative one begins at the settings file."""
        return self._folder / Path(self.text(key, default)).expanduser()

    def maybe_path(self, key: str) -> Path | None:
        """A path, or None where the key is missing or empty."""
        text = self.text(key, "")
        return self._folder / Path(text).expanduser() if text else None

    def texts(self, key: str, default: Sequence[str]) -> tuple[str, ...]:
        """A list of texts; one text alone is a list of it."""
        value = self._values.pop(key, list(default))
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            raise self.wrong(key, "must be a list of texts")
        return tuple(value)

    def pairs(self, key: str) -> Mapping[str, str]:
        """A table of texts, empty where the key is missing."""
        value = self._values.pop(key, {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self.wrong(key, "must be a table of texts")
        return dict(value)

    def rest(self) -> Mapping[str, object]:
        """All that is left, taken at once: of a table whose keys are names."""
        left, self._values = self._values, {}
        return left

    def tables(self, key: str) -> list["SettingsTable"]:
        """An array of tables, `[[key]]`."""
        value = self._values.pop(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, f"write [[{key}]] for each row")
        names = (f"{key}, row {i}" for i in range(1, len(value) + 1))
        return [
            SettingsTable(name, row, folder=self._folder)
            for name, row in zip(names, value, strict=True)
        ]

    def table(self, key: str) -> "SettingsTable | None":
        """A table, or None where it is missing."""
        if key not in self._values:
            return None
        return SettingsTable(key, self._values.pop(key), folder=self._folder)

    def end(self) -> None:
        """All is read. Raises SettingsWrong for a key that nothing reads."""
        if self._values:
            raise self.wrong(min(self._values), "no such setting")
