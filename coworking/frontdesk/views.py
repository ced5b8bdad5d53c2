from flask import Blueprint

blueprint = Blueprint("frontdesk", __name__)
