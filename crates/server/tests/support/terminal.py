"""Runs a command at a terminal of its own: terminal.py ANSWERS COMMAND…

ANSWERS is JSON: pairs of what to wait for and what to type then. What the terminal showed is printed, and
the command's exit status is this one's. A null to type ends the command by SIGTERM.
"""

import json
import os
import pty
import signal
import sys

answers, command = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
shown, seen = b"", 0
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # the command has let its terminal go
        break
    if not piece:
        break
    shown += piece
    while answers and (at := shown.find(answers[0][0].encode(), seen)) >= 0:
        awaited, typed = answers.pop(0)
        seen = at + len(awaited.encode())
        if typed is None:
            os.kill(child, signal.SIGTERM)
        else:
            os.write(terminal, typed.encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.stdout.flush()
_, status = os.waitpid(child, 0)
sys.exit(70 if answers else os.waitstatus_to_exitcode(status) & 255)
