"""Points Meta's client library at another URL, by the property of its session class that says where the API is.

On PYTHONPATH of a program that uses the library, such as Airbyte's connector, which then runs as it was published.
"""
import os

from facebook_business.session import FacebookSession

FacebookSession.GRAPH = os.environ["FB_URL"]
