"""What web servers and the ``flask`` command load."""

import sys

from config import ConfigError
from coworking.app import create_app
from coworking.server.process import prepare
from tasks.waking import connect

prepare()
try:
    app = create_app()
except ConfigError as error:  # for the person who starts the program: no traceback
    sys.exit(f"Settings: {error}")
connect(app)
