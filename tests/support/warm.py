"""A process with the libraries loaded, which runs each command line that it is given in a fork of itself, to its natural end.

Run as a program: a line of stdin is a JSON list of the file to write to and the words; the answer is a line with the exit code.
"""

from __future__ import annotations

import json
import os
import sys


def serve() -> None:
    """Until stdin ends."""
    import experiments

    experiments.own_folder_last()
    import experiments.reproduction.reproduce
    import experiments.training.doctor
    import experiments.training.export
    from experiments.__main__ import main

    for line in sys.stdin:
        log, *words = json.loads(line)
        if (pid := os.fork()) == 0:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            sys.argv = ["lectern", *words]
            sys.exit(main())  # with what libraries do when a process ends
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
