// Cases: a name, a call of the client, and what it has to answer. Each is run, and a table of all is printed.
import assert from "node:assert/strict";

/** One line of the table. */
const results = [];

/** Runs a case: `check` throws if the answer is wrong. */
export async function check(name, call, check) {
  try {
    check(await call());
    results.push({ name });
  } catch (error) {
    results.push({ name, problem: error.message ?? String(error) });
  }
}

/** The call succeeds, and answers this. */
export async function reads(name, call, expected) {
  await check(name, call, (answer) => {
    assert.equal(answer.error, null, `error ${JSON.stringify(answer.error)} (${answer.status})`);
    assert.deepEqual(answer.data, expected);
  });
}

/** The call is refused with this status and this code. */
export async function refused(name, call, status, code) {
  await check(name, call, (answer) => {
    assert.ok(answer.error, `it was answered: ${JSON.stringify(answer.data)}`);
    assert.deepEqual({ status: answer.status, code: answer.error.code }, { status, code }, JSON.stringify(answer.error));
    assert.equal(typeof answer.error.message, "string");
    assert.ok("details" in answer.error && "hint" in answer.error, JSON.stringify(answer.error));
  });
}

/** Prints the table; whether all cases are right. */
export function report() {
  for (const { name, problem } of results) {
    console.log(`${problem === undefined ? "ok   " : "FAIL "} ${name}`);
    if (problem !== undefined) console.log(problem.replace(/^/gm, "        "));
  }
  const names = new Set(results.map((result) => result.name));
  assert.equal(names.size, results.length, "two cases have one name");
  const failed = results.filter((result) => result.problem !== undefined).length;
  console.log(`${results.length} cases, ${failed} failed`);
  return failed === 0;
}
