// Follows the books of the shop with eventsource of npm, and prints a line for each thing that holds:
//   node main.mjs <URL of the read models>
// GNOMON_TEST_NODE_MODULES is the folder that npm has installed the client in.
import { createRequire } from "node:module";

const [url] = process.argv.slice(2);
const { EventSource } = createRequire(`${process.env.GNOMON_TEST_NODE_MODULES}/`)("eventsource");
const query = `${url}/books?select=title,pages,ratings&pages=lt.200`;
const deadline = Date.now() + 60_000;

// Cuts the connection of the client off, as a network does; and the ids with which it has come.
let cut;
const ids = [];
const cuttable = async (address, init) => {
  ids.push(new Headers(init.headers).get("last-event-id"));
  const response = await fetch(address, init);
  const reader = response.body.getReader();
  const body = new ReadableStream({
    start(controller) {
      let open = true;
      const end = () => {
        if (open) controller.close();
        open = false;
      };
      cut = () => {
        end();
        reader.cancel();
      };
      (async () => {
        while (open) {
          const { done, value } = await reader.read();
          if (done) end();
          else if (open) controller.enqueue(value);
        }
      })().catch(end);
    },
  });
  const { url: found, status, redirected, headers } = response;
  return { body, url: found, status, redirected, headers };
};

const rows = new Map();
const seen = [];
const source = new EventSource(query, { fetch: cuttable });
const on = (name, take) =>
  source.addEventListener(name, (event) => {
    seen.push(name);
    take(JSON.parse(event.data));
  });
on("snapshot", () => rows.clear());
for (const name of ["insert", "update"]) on(name, ({ key, row }) => rows.set(JSON.stringify(key), row));
on("delete", ({ key }) => rows.delete(JSON.stringify(key)));
on("position", () => {});

const sorted = (list) => JSON.stringify(list.map((row) => JSON.stringify(row)).sort());

async function holds(name, test) {
  while (!(await test())) {
    if (Date.now() > deadline) {
      console.log(`FAIL ${name}: ${seen.join(" ")}`);
      process.exit(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log(`ok   ${name}`);
}

async function append(book, type, data) {
  const host = url.slice(0, url.indexOf("/v1/"));
  const body = JSON.stringify({ expected_version: "any", events: [{ type, data }] });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${host}/v1/streams/book-${book}/events`, { method: "POST", headers, body });
  if (response.status !== 201) throw new Error(await response.text());
  return (await response.json()).last_position;
}

async function same(position) {
  const headers = { "gnomon-min-position": String(position), prefer: "wait=30" };
  const page = await (await fetch(query, { headers })).json();
  return sorted(page) === sorted([...rows.values()]);
}

const added = (title, pages) =>
  ({ title, blurb: null, author: "ada", isbn: `0-306-${title}`, pages, price: 1.5, in_print: true, tags: [], details: null, genres: [], cover: null });

await holds("it begins with the rows that match", () => same(0));
let at = await append(100, "BookAdded", added("X", 7));
await holds("a row that matches is added", async () => (await same(at)) && seen.includes("insert"));
at = await append(100, "BookRated", { stars: 3 });
await holds("a row is changed", async () => (await same(at)) && seen.includes("update"));
at = await append(101, "BookAdded", added("Y", 700));
at = await append(100, "BookAdded", added("X", 900));
await holds("a row that does not match any more is removed", async () => (await same(at)) && seen.includes("delete"));
const before = seen.length;
cut();
at = await append(102, "BookAdded", added("Z", 9));
await holds("it comes back with the id of the last event", async () => (await same(at)) && ids.length > 1 && ids.at(-1));
await holds("and goes on", () => !seen.slice(before).includes("snapshot"));
source.close();
process.exit(0);
