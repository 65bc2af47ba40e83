"""What went wrong, in words for the person who reads the pipeline's log."""


class Failed(Exception):
    """This step did not do what it should; the message says what was seen."""


class NoAnswer(Failed):
    """Nobody answered: whether the request arrived is not known."""
