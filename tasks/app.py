"""The Celery application and its broker, chosen by the settings.

A message only says "look now": what there is to do, and whether it is done, stands in the database. So no result is
kept, a lost message costs a minute (the sweep of `tasks.schedule`), and one delivered twice finds nothing left.

This module loads neither Flask nor the product, so that beat stays small.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery import Task as CeleryTask
from celery.utils.log import get_task_logger
from kombu.entity import Exchange, Queue

from config import Config
from coworking.core.errors import DomainError
from coworking.server.process import prepare
from tasks.schedule import SCHEDULE

if TYPE_CHECKING:
    from flask import Flask

prepare()

log = get_task_logger(__name__)

QUEUE = "lieu"
VISIBILITY_S = 300
"""A message taken by a worker that died comes back after this; as long as the outbox's own lease."""


class Task(CeleryTask):
    """Runs inside an application context of its own, hence with a session of its own, and logs how long it took.

    Celery puts the task's name and id before each line of a task's log.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        started = perf_counter()
        ended = "failed"
        try:
            with celery.flask_app.app_context():
                result = super().__call__(*args, **kwargs)
            ended = "done" if result is None else f"done ({result})"
            return result
        except DomainError as refused:
            # Not set up yet, or the database was busy. The next look comes by itself; nobody needs a traceback.
            ended = f"refused ({refused.code})"
            return None
        finally:
            log.info("%s in %.3f s", ended, perf_counter() - started)


class Application(Celery):
    """Celery that knows the Flask application its tasks run in (`tasks.waking.connect` sets it)."""

    flask_app: Flask


celery = Application("coworking", task_cls=Task)


def configure(config: Config) -> None:
    """Point the one Celery application of this process at the broker of ``config``."""
    celery.conf.update(
        **_broker(config),
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=1,
        task_queues=[Queue(QUEUE, Exchange(""), routing_key=QUEUE)],  # the unnamed exchange needs no binding table
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_publish_retry=False,
        task_serializer="json",
        accept_content=["json"],
        worker_pool="threads",
        worker_concurrency=4,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        beat_schedule=SCHEDULE,
        beat_schedule_filename=str(config.data_dir / "beat-schedule"),
        beat_max_loop_interval=30,
        timezone="UTC",
        enable_utc=True,
    )


def _broker(config: Config) -> dict[str, Any]:
    if config.redis_url is not None:
        return {
            "broker_url": config.redis_url,
            "broker_transport_options": {
                "visibility_timeout": VISIBILITY_S,
                # What a dead worker held is looked for every interval × throttle seconds (10 × 10 by default).
                "unacked_restore_interval": 15,
                "unacked_restore_throttle": 1,
                "socket_connect_timeout": 1,
                "socket_timeout": 5,  # above the one second for which a worker's read blocks
                "socket_keepalive": True,
                "max_retries": 1,
                "interval_start": 0,
                "interval_max": 0,
            },
        }
    folder = config.data_dir / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://localhost//",
        "broker_transport": "tasks.files:Transport",
        "broker_transport_options": {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "polling_interval": 0.2,
        },
    }
