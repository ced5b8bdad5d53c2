"""What web servers and the ``flask`` command load."""

from coworking.app import create_app
from tasks.kick import connect

app = create_app()
connect(app)
