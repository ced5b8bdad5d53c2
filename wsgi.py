"""What web servers and the ``flask`` command load."""

from coworking.app import create_app

app = create_app()
