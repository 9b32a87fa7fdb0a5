"use strict";
// The flow of each service with version 2 of the AWS SDK: `node javascript2.cjs lightsail`.

const assert = require("node:assert/strict");
const { setTimeout: sleep } = require("node:timers/promises");
const AWS = require("aws-sdk");

const endpoint = process.env.AWS_ENDPOINT_URL;

async function lightsail() {
  const client = new AWS.Lightsail({ endpoint });
  const name = { resourceName: "my-computer" };

  const started = await client.startGUISession(name).promise();
  assert.equal(started.operations[0].operationType, "StartGUISession");
  assert.ok(started.operations[0].createdAt instanceof Date);
  let details;
  do {
    await sleep(50);
    details = await client.createGUISessionAccessDetails(name).promise();
  } while (details.status === "starting");
  assert.equal(details.status, "started");
  assert.deepEqual(details.sessions.map((session) => session.isPrimary), [true, false]);

  const first = await client.getInstances({}).promise();
  const second = await client.getInstances({ pageToken: first.nextPageToken }).promise();
  const names = [...first.instances, ...second.instances].map((instance) => instance.name);
  assert.deepEqual(names, ["my-computer", "second", "third"]);

  await assert.rejects(client.getInstance({ instanceName: "nobody" }).promise(), (error) => {
    assert.equal(error.code, "NotFoundException");
    assert.equal(error.statusCode, 400);
    return true;
  });
}

async function nimble() {
  const client = new AWS.Nimble({ endpoint });
  const $waiter = { delay: 0.1 };
  const studio = { studioId: "studio-1" };

  const created = await client
    .createStreamingSession({ ...studio, launchProfileId: "lp-1", tags: { a: "b" } }).promise();
  assert.equal(created.session.state, "CREATE_IN_PROGRESS");
  assert.deepEqual(created.session.tags, { a: "b" });
  const session = { ...studio, sessionId: created.session.sessionId };
  await client.waitFor("streamingSessionReady", { ...session, $waiter }).promise();

  const made = await client
    .createStreamingSessionStream({ ...session, expirationInSeconds: 60 }).promise();
  const stream = { ...session, streamId: made.stream.streamId };
  await client.waitFor("streamingSessionStreamReady", { ...stream, $waiter }).promise();
  const read = await client.getStreamingSessionStream(stream).promise();
  assert.ok(read.stream.url.startsWith(endpoint));

  await client.deleteStreamingSession(session).promise();
  await client.waitFor("streamingSessionDeleted", { ...session, $waiter }).promise();
}

// Sends nothing.
async function without_an_endpoint() {
  for (const Service of [AWS.Lightsail, AWS.Nimble]) {
    assert.match(new Service({}).endpoint.host, /\.amazonaws\.com$/);
  }
}

({ lightsail, nimble, without_an_endpoint })[process.argv[2]]();
