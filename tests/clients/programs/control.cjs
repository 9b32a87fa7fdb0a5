"use strict";
// A test as somebody would write it in JavaScript: it sets the scene through the admin interface,
// uses the AWS SDK, and reads what was asked. `node control.cjs`.

const assert = require("node:assert/strict");
const sdk = require("@aws-sdk/client-lightsail");

async function control(method, path, body) {
  const reply = await fetch(process.env.DCV_CONTROL_URL + path, {
    method,
    headers: { Authorization: `Bearer ${process.env.DCV_CONTROL_TOKEN}` },
    body: body && JSON.stringify(body),
  });
  const found = await reply.json();
  assert.equal(reply.status, 200, JSON.stringify(found));
  return found;
}

async function main() {
  const client = new sdk.LightsailClient({ maxAttempts: 1 });
  const name = { resourceName: "from-javascript" };
  const start = () => client.send(new sdk.StartGUISessionCommand(name));
  const status = async () =>
    (await client.send(new sdk.CreateGUISessionAccessDetailsCommand(name))).status;

  await control("POST", "/reset");
  await control("POST", "/instances", { name: "from-javascript", blueprint_name: "RStudio" });
  await control("POST", "/instances/from-javascript/plans", {
    operation: "StartGUISession",
    plans: [{ seconds: 600 }],
  });
  await start();
  assert.equal(await status(), "starting");
  await control("POST", "/advance", { seconds: 600 });
  assert.equal(await status(), "started");

  const tip = "Try again later";
  await control("POST", "/faults", {
    operation: "StartGUISession",
    fault: { kind: "error", code: "ServiceException", status: 500, members: { tip } },
  });
  await assert.rejects(start(), (error) => {
    assert.ok(error instanceof sdk.ServiceException);
    assert.equal(error.tip, tip);
    return true;
  });

  // The SDK corrects its clock by the service's, and is accepted from then on.
  await control("POST", "/faults", {
    operation: "StartGUISession",
    fault: { kind: "skewed_date", seconds: 3600 },
  });
  await assert.rejects(start(), { name: "InvalidSignatureException" });
  await start();
  await control("DELETE", "/faults");

  const { requests } = await control("GET", "/requests?operation=StartGUISession");
  assert.deepEqual(
    requests.map((each) => [each.status, each.fault]),
    [[200, null], [500, "error"], [400, "skewed_date"], [200, null]]
  );
  await control("POST", "/reset");
  const { instances } = await control("GET", "/state");
  assert.deepEqual(instances.map((each) => each.name), ["my-computer", "second", "third"]);
}

main();
