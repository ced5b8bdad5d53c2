"""What web servers and the ``flask`` command load."""

import sys

from coworking.server.process import loading, prepare

prepare()
with loading():
    from config import ConfigError
    from coworking.app import create_app
    from tasks.waking import connect

    try:
        app = create_app()
    except ConfigError as error:  # for the person who starts the program: no traceback
        sys.exit(f"Settings: {error}")
    connect(app)
