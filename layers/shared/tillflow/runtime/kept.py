"""What is fetched from elsewhere and kept for a while."""

from collections.abc import Callable

from tillflow.errors import Unavailable
from tillflow.values import clock


class Kept[T]:
    """What *fetch* returns, kept by this process."""

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._at = float("-inf")
        self._value: list[T] = []

    def within(self, seconds: float) -> T:
        """
        Return it as it was no longer than *seconds* ago.

        Raises:
            Unavailable: nobody answers, and it was never there.
        """
        if clock.monotonic() >= self._at + seconds:
            try:
                self._value = [self._fetch()]
            except Unavailable:
                # What was good a moment ago is better than to refuse everybody while the store is away.
                if not self._value:
                    raise
            self._at = clock.monotonic()
        return self._value[0]
