"""A receiver of webhooks with the official SDKs of PyPI: what is not signed, or not a CloudEvent, it refuses. It appends an event first."""

import json
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

events, secret = sys.argv[1:]
webhook = Webhook(secret)
received = []


class Receiver(BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, json.dumps(received).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            webhook.verify(body, headers)
            event = from_http_event(HTTPMessage(headers=headers, body=body))
            attributes = event.get_attributes()
            shown = {name: attributes.get(name) for name in ("id", "source", "type", "subject", "partitionkey", "gnomonposition")}
            time = attributes["time"].isoformat().replace("+00:00", "Z")
            mode = "binary" if "ce-id" in headers else "structured"
            received.append({"mode": mode, **shown, "time": time, "data": event.get_data()})
            self.answer(204)
        except Exception as error:
            self.answer(400, repr(error).encode())

    def log_message(self, *_):
        pass


written = to_structured_event(
    CloudEvent({"id": "py-1", "source": "/sdk/py", "type": "Opened", "subject": "7", "specversion": "1.0"}, {"owner": "Ada"})
)
request = urllib.request.Request(events, data=written.body, headers=written.headers, method="POST")
with urllib.request.urlopen(request) as answer:
    assert answer.status == 201, answer.read()



def post(message, query):
    request = urllib.request.Request(events + query, data=message.body, headers=message.headers, method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


# One more in binary mode, for which the stream has to have the version that it has.
attributes = {"id": "py-2", "source": "/sdk/py", "type": "Moved", "subject": "UA 1545", "specversion": "1.0"}
binary = to_binary_event(CloudEvent({**attributes, "datacontenttype": "application/json"}, {"by": 1.5}))
for query, status in [("?expected_version=no_stream", 409), ("?expected_version=1", 201), ("?expected_version=1", 200)]:
    found = post(binary, query)
    assert found == status, (query, found)

server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_address[1], flush=True)
server.serve_forever()
