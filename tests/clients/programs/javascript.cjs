"use strict";
// The flow of each service with the AWS SDK for JavaScript: `node javascript.cjs lightsail`.
// CommonJS, because only `require` finds packages by NODE_PATH.

const assert = require("node:assert/strict");
const { setTimeout: sleep } = require("node:timers/promises");

async function lightsail() {
  const sdk = require("@aws-sdk/client-lightsail");
  const client = new sdk.LightsailClient({});
  const name = { resourceName: "my-computer" };

  const started = await client.send(new sdk.StartGUISessionCommand(name));
  assert.equal(started.operations[0].operationType, "StartGUISession");
  assert.ok(started.operations[0].createdAt instanceof Date);
  let details;
  do {
    await sleep(50);
    details = await client.send(new sdk.CreateGUISessionAccessDetailsCommand(name));
  } while (details.status === "starting");
  assert.equal(details.status, "started");
  assert.deepEqual(details.sessions.map((session) => session.isPrimary), [true, false]);

  const first = await client.send(new sdk.GetInstancesCommand({}));
  const following = { pageToken: first.nextPageToken };
  const second = await client.send(new sdk.GetInstancesCommand(following));
  const names = [...first.instances, ...second.instances].map((instance) => instance.name);
  assert.deepEqual(names, ["my-computer", "second", "third"]);
  assert.equal(second.nextPageToken, undefined);

  const nobody = new sdk.GetInstanceCommand({ instanceName: "nobody" });
  await assert.rejects(client.send(nobody), sdk.NotFoundException);
}

async function nimble() {
  const sdk = require("@aws-sdk/client-nimble");
  const client = new sdk.NimbleClient({});
  const waiting = { client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 };
  const studio = { studioId: "studio-1" };

  const created = await client.send(
    new sdk.CreateStreamingSessionCommand({ ...studio, launchProfileId: "lp-1", tags: { a: "b" } })
  );
  assert.equal(created.session.state, "CREATE_IN_PROGRESS");
  assert.ok(created.session.createdAt instanceof Date);
  assert.deepEqual(created.session.tags, { a: "b" });
  const session = { ...studio, sessionId: created.session.sessionId };
  await sdk.waitUntilStreamingSessionReady(waiting, session);

  const made = await client.send(
    new sdk.CreateStreamingSessionStreamCommand({ ...session, expirationInSeconds: 60 })
  );
  const stream = { ...session, streamId: made.stream.streamId };
  await sdk.waitUntilStreamingSessionStreamReady(waiting, stream);
  const read = await client.send(new sdk.GetStreamingSessionStreamCommand(stream));
  assert.ok(read.stream.url.startsWith(process.env.AWS_ENDPOINT_URL));

  await client.send(new sdk.StopStreamingSessionCommand(session));
  await sdk.waitUntilStreamingSessionStopped(waiting, session);
  await client.send(new sdk.DeleteStreamingSessionCommand(session));
  await sdk.waitUntilStreamingSessionDeleted(waiting, session);

  const odd = { ...studio, sessionId: "a/b c+é" };
  await assert.rejects(
    client.send(new sdk.GetStreamingSessionCommand(odd)), sdk.ResourceNotFoundException
  );
}

({ lightsail, nimble })[process.argv[2]]();
