"""Which exceptions are a person's mistake, or their machine's limit, and what is said of each in one line.

Decided by class, by the message of the few that torch raises as RuntimeError, and by who raised: what Lightning itself refuses
is what it was asked to do. Everything else is a fault of this program, and keeps its traceback.
"""

from __future__ import annotations

import errno
import re
from types import TracebackType

from datamodules.errors import InputError

LONGEST = 800
"""Characters of a line; a longer message keeps its beginning and its end."""

OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED|unable to mmap|bus error", re.IGNORECASE
)

SYSTEM = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EIO, errno.EACCES, errno.EPERM}
)
"""What the system refuses, whatever file it is about."""

LIGHTNING = ("pytorch_lightning", "lightning_fabric", "lightning_utilities")


def what_was_wrong(error: BaseException) -> str:
    """One line on what a person can change; empty where the error is no person's."""
    if wrong := input_error(error):
        return one_line(wrong)
    if isinstance(error, MemoryError) or _is_called(error, "OutOfMemoryError"):
        return out_of_memory(error)
    if isinstance(error, RuntimeError) and OUT_OF_MEMORY.search(str(error)):
        return out_of_memory(error)
    if isinstance(error, OSError):
        return _of_the_system(error)
    if isinstance(error, UnicodeDecodeError):
        return f"a file that was read is not text in {error.encoding.upper()} (byte {error.start}: {error.reason})"
    if (
        isinstance(error, UnicodeEncodeError) and 0xDC80 <= ord(error.object[error.start]) <= 0xDCFF
    ):  # as the system hands it on
        name = error.object.encode("utf-8", "backslashreplace").decode()  # the system hands such bytes on as these code points
        return f"{name}: the name of a file or folder is not UTF-8, as in a zip file in another code page: rename it"
    if _is_called(error, "MisconfigurationException"):
        return one_line(error)
    refusals = (ValueError, TypeError, RuntimeError, ImportError, NotImplementedError)
    if isinstance(error, refusals) and _raised_in(error.__traceback__).split(".")[0] in LIGHTNING:
        return one_line(error)
    return ""


def input_error(error: BaseException | None) -> InputError | None:
    """The InputError that an exception is, or was raised from."""
    while error is not None and not isinstance(error, InputError):
        if isinstance(error, RuntimeError) and "DataLoader worker" in str(error):
            from datamodules.loading import worker_killed  # torch says so in the middle of whatever runs

            if killed := worker_killed(error):
                return killed
        error = error.__cause__ or error.__context__
    return error


def one_line(error: BaseException) -> str:
    """The message; of an error raised in a loader's worker the last line, since torch puts a stack trace before it."""
    text = str(error).strip()
    return text.splitlines()[-1].split("Error: ", 1)[-1] if "Original Traceback" in text else " ".join(text.split())


def shortened(line: str) -> str:
    """A line of at most :data:`LONGEST` characters, cut in its middle."""
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 93].rstrip()} … {line[-90:].lstrip()}"


def out_of_memory(error: BaseException) -> str:
    """What a batch that does not fit is answered with."""
    where = "the GPU's memory" if _is_called(error, "OutOfMemoryError") or "CUDA" in str(error) else "memory"
    return (
        f"{where} is full: lower data.batch_size (trainer.accumulate_grad_batches keeps what an optimizer step sees) or "
        "data.image_size; `lectern doctor` says how much an experiment takes"
    )


def _of_the_system(error: OSError) -> str:
    """What the system refused, and for which file; empty where nobody outside can have caused it."""
    reason = getattr(error, "reason", None)  # urllib's URLError
    if reason is not None:
        return f"a download failed ({one_line(reason) if isinstance(reason, BaseException) else reason})"
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"{error.strerror}: nothing more can be written or opened there" if error.errno in SYSTEM else ""


def _is_called(error: BaseException, name: str) -> bool:
    """Whether its class or a base of it has this name: torch and Lightning may not have been imported."""
    return any(cls.__name__ == name for cls in type(error).__mro__)


def _raised_in(trace: TracebackType | None) -> str:
    """The module in which an exception was raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace else ""
