// A receiver of webhooks with the official SDKs of npm: what is not signed, or not a CloudEvent, it refuses. It appends an event first.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.GNOMON_TEST_NODE_MODULES, "/"));
const { CloudEvent, HTTP } = require("cloudevents");
const { Webhook } = require("standardwebhooks");

const [events, secret] = process.argv.slice(2);
const webhook = new Webhook(secret);
const received = [];

const written = HTTP.structured(
  new CloudEvent({ id: "js-1", source: "/sdk/js", type: "Opened", subject: "7", data: { owner: "Ada" } }),
);
const answer = await fetch(events, { method: "POST", headers: written.headers, body: written.body });
if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);

// One more in binary mode, for which the stream has to have the version that it has.
const post = async (message, query = "") => {
  const answer = await fetch(events + query, { method: "POST", headers: message.headers, body: message.body });
  return answer.status;
};
const expect = (found, wanted) => {
  if (found !== wanted) throw new Error(`${found} is not ${wanted}`);
};
const next = new CloudEvent({ id: "js-2", source: "/sdk/js", type: "Moved", subject: "UA 1545", data: { by: 1.5 } });
expect(await post(HTTP.binary(next), "?expected_version=no_stream"), 409);
expect(await post(HTTP.binary(next), "?expected_version=1"), 201);
expect(await post(HTTP.binary(next), "?expected_version=1"), 200);

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.end(JSON.stringify(received));
    return;
  }
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces).toString();
    try {
      webhook.verify(body, request.headers);
      const event = HTTP.toEvent({ headers: request.headers, body });
      event.validate();
      const { id, source, type, subject, time, partitionkey, gnomonposition, data } = event;
      const mode = HTTP.isEvent({ headers: request.headers, body }) && request.headers["ce-id"] ? "binary" : "structured";
      received.push({ mode, id, source, type, subject, time, partitionkey, gnomonposition, data });
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
