"""Time as the throttles see it."""


class StoppedClock:
    """A monotonic clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 12_345.678

    def monotonic(self) -> float:
        return self.seconds
