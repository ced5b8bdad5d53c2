"""A server that stops or reloads finishes what it has begun."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread

import psutil

from tests.server.conftest import GET, HALF_A_HEAD, rest, running, statuses, until


def test_a_stopping_server_finishes_what_it_has_begun(tmp_path):
    with running(tmp_path) as site, site.connect(HALF_A_HEAD), site.connect(GET) as idle:
        assert statuses(until(idle, b"read 0")) == [200]
        with site.connect(b"GET /slow/1.5 HTTP/1.1\r\nHost: lieu.test\r\n\r\n") as connection:
            time.sleep(0.5)
            os.kill(site.program.process.pid, signal.SIGTERM)
            said = rest(connection)
        assert said.endswith(b"slow")
        assert rest(idle) == b""
        assert site.program.process.wait(20) == 0


def test_a_reload_loses_no_request(tmp_path):
    with running(tmp_path) as site:
        old = site.worker().pid
        answers: list[bytes] = []
        stop: list[bool] = []

        def ask() -> None:
            while not stop:
                answers.append(site.get("/slow/0.01"))

        visitors = [Thread(target=ask) for _ in range(4)]
        for visitor in visitors:
            visitor.start()
        os.kill(site.program.process.pid, signal.SIGHUP)
        site.program.wait_for("reloading", lambda: not psutil.pid_exists(old))
        stop.append(True)
        for visitor in visitors:
            visitor.join()
        assert len(answers) > 4
        assert set(answers) == {b"slow"}
