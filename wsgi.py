"""What web servers and the ``flask`` command load."""

import faulthandler
import os
import sys

from config import ConfigError
from coworking.app import create_app
from tasks.kick import connect

os.umask(0o077)  # the database, keys and e-mails are read by this user alone
faulthandler.enable()  # a crash of the interpreter leaves in the log where it happened
try:
    app = create_app()
except ConfigError as error:  # for the person who starts the program: no traceback
    sys.exit(f"Settings: {error}")
connect(app)
