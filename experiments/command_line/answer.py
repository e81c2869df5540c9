"""How every command ends: an exit code, and one line on stderr where a person was wrong, or stopped it."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .mistakes import input_error, shortened, what_was_wrong

STOPPED = "stopped"


class Interrupted(SystemExit):
    """Raised by the first Ctrl-C or SIGTERM, in the main thread; its code is 128 + the signal.

    No KeyboardInterrupt: Lightning catches that itself, and ends with exit code 1.
    """

    state = "unfinished"
    """Of a run that it ends."""


class Signals:
    """What Ctrl-C and SIGTERM do in this process: the first raises :class:`Interrupted`, a second ends it at once.

    So does the first while libraries are imported, where an exception may be caught or lost, and nothing is to be tidied up.
    """

    def __init__(self) -> None:
        self.importing = True
        self._received = False
        self._process = os.getpid()

    def __call__(self, number: int, frame: Any) -> None:
        if os.getpid() != self._process:
            # A process that was forked from here, such as a loader's worker: it is ended by this one, and not by the
            # terminal's Ctrl-C.
            if number == signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
        elif self.importing or self._received:
            _end_children()
            os.write(2, f"\nlectern: {STOPPED}\n".encode())
            os._exit(128 + number)
        else:
            self._received = True
            raise Interrupted(128 + number)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """In place of Python's own handlers, where those are in place: a signal that is to be ignored stays so."""
        own = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
        replaced = {number: old for number, old in own.items() if signal.getsignal(number) is old}
        try:
            with suppress(ValueError):  # in another thread than the main one
                for number in replaced:
                    signal.signal(number, self)
            yield
        finally:
            with suppress(ValueError):
                for number, old in replaced.items():
                    signal.signal(number, old)


def answer(command: Callable[[Signals], int], stopped: str = STOPPED) -> int:
    """Runs a command; returns its exit code: 2 where a person was wrong, 130 after Ctrl-C, 143 after SIGTERM.

    An InputError may have an ``exit_code`` of its own.

    Args:
        command: sets ``importing`` of what it is given to False as soon as its libraries are loaded.
        stopped: what is said where it was stopped.

    Raises:
        Exception: what is no person's mistake; any, where the environment variable ``LECTERN_TRACEBACK`` is set.
    """
    signals = Signals()
    with signals.installed():
        try:
            code = command(signals)
            sys.stdout.flush()
            return code
        except KeyboardInterrupt as error:  # of another thread's, or raised by a library
            return _say_stopped(error, 128 + signal.SIGINT, stopped)
        except SystemExit as error:
            if (number := _stopping_signal(error)) is None:
                raise
            if error.code == 0:  # the run's time is up
                return _say_stopped(error, 0, stopped)
            return _say_stopped(error, 128 + number, stopped)
        except Exception as error:
            if isinstance(error, BrokenPipeError) and _nobody_reads():
                return 0  # whoever reads has seen enough: lectern list | head
            line = what_was_wrong(error)
            if not line or os.environ.get("LECTERN_TRACEBACK"):
                raise
            print(f"lectern: {shortened(line)}", file=sys.stderr)
            return int(getattr(input_error(error), "exit_code", 2))


def _say_stopped(error: BaseException, code: int, stopped: str) -> int:
    """One line, in which an exception may say what has been saved; returns the code."""
    _end_children()
    with suppress(OSError):
        print(f"\nlectern: {getattr(error, 'says', stopped)}", file=sys.stderr)
    return code


def _stopping_signal(error: SystemExit) -> int | None:
    """The signal that a SystemExit answers; None where it is another."""
    if isinstance(error.__context__, KeyboardInterrupt):  # Lightning's own answer to one, with code 1
        return signal.SIGINT
    names = {cls.__name__ for cls in type(error).__mro__}
    if not names & {"Interrupted", "SIGTERMException"}:
        return None
    # Lightning's SIGTERMException has no code, where the signal came before the training.
    return error.code - 128 if isinstance(error.code, int) and error.code > 128 else signal.SIGTERM


def _end_children() -> None:
    """Leaves no process of multiprocessing's behind, where that is used at all."""
    multiprocessing = sys.modules.get("multiprocessing")
    for child in multiprocessing.active_children() if multiprocessing else ():
        # A process that was forked from another has that one's children in its list too; is_alive refuses them.
        with suppress(OSError, ValueError, AssertionError):
            if child.is_alive():
                child.terminate()


def _nobody_reads() -> bool:
    """Whether the other end of stdout or stderr is closed; what is still to be written there then goes nowhere."""
    if not hasattr(select, "poll"):  # Windows: whoever asks has been told that a pipe is closed
        return True
    poll = select.poll()
    for number in (1, 2):
        poll.register(number, select.POLLOUT)
    closed = [number for number, event in poll.poll(0) if event & (select.POLLERR | select.POLLHUP)]
    for number in closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    return bool(closed)
