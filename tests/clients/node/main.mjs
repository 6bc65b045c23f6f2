// Reads the shop with @supabase/postgrest-js, and prints a line for each case:
//   node main.mjs <URL of the read models> <URL of the same where plans are off> <events of the shop>
// GNOMON_TEST_NODE_MODULES is the folder that npm has installed the client in.
import { createRequire } from "node:module";

import { report } from "./cases.mjs";
import { embeddings } from "./embeddings.mjs";
import { filters } from "./filters.mjs";
import { selects } from "./selects.mjs";
import { shapes } from "./shapes.mjs";
import { shop } from "./shop.mjs";

const [url, plainUrl, events] = process.argv.slice(2);
const { PostgrestClient } = createRequire(`${process.env.GNOMON_TEST_NODE_MODULES}/`)("@supabase/postgrest-js");

const rows = shop(events);
const client = new PostgrestClient(url);
const plain = new PostgrestClient(plainUrl);
await selects(client, rows);
await embeddings(client, rows);
await filters(client, rows);
await shapes({ client, plain, PostgrestClient }, rows);
process.exit(report() ? 0 : 1);
