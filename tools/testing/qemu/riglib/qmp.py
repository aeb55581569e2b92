# SPDX-License-Identifier: GPL-2.0
"""QEMU's machine protocol and the guest's requests that become its commands."""

import json

from . import RigError


class Lines:
    """Complete lines out of a stream socket."""

    def __init__(self, sock):
        self.sock = sock
        self._rest = b""

    def read(self):
        """Lines that have arrived; None at the end of the stream."""
        data = self.sock.recv(65536)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


class Qmp:
    """Sends commands and waits for their answers; events are dropped."""

    def __init__(self, sock):
        sock.settimeout(10)
        self._lines = Lines(sock)
        self._pending = []
        self._next()
        self.command("qmp_capabilities")

    def _next(self):
        while not self._pending:
            lines = self._lines.read()
            if lines is None:
                raise RigError("QEMU closed its control connection")
            self._pending += [line for line in lines if line.strip()]
        return json.loads(self._pending.pop(0))

    def command(self, name, **arguments):
        """The command's result; what QEMU refuses is a RigError with its words."""
        message = {"execute": name, "arguments": arguments}
        self._lines.sock.sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = self._next()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RigError(answer["error"]["desc"])


class Control:
    """Answers the guest: one line in, one line out."""

    def __init__(self, sock, qmp):
        self._lines = Lines(sock)
        self._sock = sock
        self._qmp = qmp
        self._verbs = {"add": self._add, "remove": self._remove, "done": self._done}
        self.done = False

    def serve(self):
        """Answer what has arrived; False at the end of the stream."""
        lines = self._lines.read()
        if lines is None:
            return False
        for line in lines:
            self._sock.sendall(self._answer(line.split()).encode() + b"\n")
        return True

    def _answer(self, words):
        handler = self._verbs.get(words[0]) if words else None
        if not handler:
            return f"error unknown request; there are: {', '.join(self._verbs)}"
        try:
            return f"ok {handler(*words[1:])}"
        except TypeError:
            return f"error wrong number of words for {words[0]}"
        except RigError as error:
            return "error " + str(error).replace("\n", " ")

    def _add(self, name, model, properties):
        pairs = dict(pair.split("=", 1) for pair in properties.split(","))
        if "multifunction" in pairs:
            pairs["multifunction"] = pairs["multifunction"] == "on"
        self._qmp.command("device_add", driver=model, id=name, **pairs)
        return name

    def _remove(self, name):
        self._qmp.command("device_del", id=name)
        return name

    def _done(self):
        self.done = True
        return "bye"
