// A certified OIDC issuer, oidc-provider of npm, on this machine. A program gets a JWT of it by its own name and secret (client_credentials), signed by the
// algorithm that the resource asks for.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";

const { default: Provider } = await import(join(process.env.GNOMON_TEST_NODE_MODULES, "oidc-provider/lib/index.js"));

const RESOURCE = "urn:gnomon:";
const algorithms = { RS256: "rsa", PS256: "rsa", ES256: "p256", ES384: "p384", EdDSA: "ed" };
const pairs = {
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ed: generateKeyPairSync("ed25519"),
};
const keys = Object.entries(pairs).map(([kid, pair]) => ({ ...pair.privateKey.export({ format: "jwk" }), kid, use: "sig" }));

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: "shop",
        client_secret: "a secret of the shop that is long enough",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => {
          const alg = resource.slice(RESOURCE.length);
          const sign = { alg, kid: algorithms[alg] };
          return { scope: "append=order read:events=order", audience: "gnomon", accessTokenFormat: "jwt", accessTokenTTL: 300, jwt: { sign } };
        },
      },
    },
  });
  const answer = provider.callback();
  server.on("request", answer);
  console.log(issuer);
});
