"""Becomes another program that the kernel kills when its parent dies: `launch.py PARENT_PID PROGRAM ARGUMENTS...`.

The kernel's rule (prctl PR_SET_PDEATHSIG) survives exec and covers a parent killed with SIGKILL. It counts the thread
that started this program as the parent, so a program must be started from a thread that outlives it, as the main one.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, program, *arguments = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() == int(parent):  # else the parent died before the rule held
        os.execvp(program, [program, *arguments])


if __name__ == "__main__":
    main()
