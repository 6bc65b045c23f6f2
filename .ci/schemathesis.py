"""What schemathesis cannot know: JSON lines, and names that exist.

Left out are checks that reject too much: a valid request may be refused for what the schema cannot say (`positive_data_acceptance`), such as an
event id that belongs to another event; and an invalid one may be accepted where the host is kinder than the document
(`negative_data_rejection`).
"""

import json
import random

import schemathesis

# A body of JSON lines is one event here.
@schemathesis.serializer("application/x-ndjson")
def json_lines(ctx, value):
    return json.dumps(value).encode("utf-8", errors="replace") if not isinstance(value, bytes) else value


KNOWN = {"name": "bank", "projection": "bank", "table": "accounts", "stream": "account-7", "version": 1, "build": 1}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Half of the requests are for what exists."""
    if not path_parameters or random.random() < 0.5:
        return path_parameters
    return {name: KNOWN.get(name, value) for name, value in path_parameters.items()}
