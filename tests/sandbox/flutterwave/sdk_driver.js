// Carries out calls through the client library flutterwave-node-v3 and tells what came of them.
//
// Its address is fixed to api.flutterwave.com: what goes there is sent to the sandbox instead. Whatever
// else it calls of its own accord is refused and recorded, so that nothing leaves this machine.
//
// node sdk_driver.js <library> <sandbox url> <public key> <secret key> <calls as JSON>
// A call is ["Transaction", "verify", {"id": 1}].
'use strict';

const { EventEmitter } = require('node:events');
const http = require('node:http');
const https = require('node:https');

const [library, sandbox, publicKey, secretKey, calls] = process.argv.slice(2);
const HOST = 'api.flutterwave.com';
const sent = [];
const refused = [];
const sandboxFetch = globalThis.fetch;

globalThis.fetch = (url, options) => {
  const asked = new URL(url);
  if (asked.hostname !== HOST) {
    refused.push(asked.hostname);
    return Promise.reject(new Error(`no way to ${asked.hostname}`));
  }
  // The library writes //v3/transactions?? in places.
  const path = asked.pathname.replace(/^\/+/, '/') + asked.search;
  sent.push(`${options.method} ${path}`);
  return sandboxFetch(sandbox + path, options);
};

const refuse = (target) => {
  const host = typeof target === 'string' ? new URL(target).hostname : target.hostname || target.host;
  refused.push(host);
  const request = new EventEmitter();
  Object.assign(request, { write() {}, end() {}, setTimeout() {}, destroy() {} });
  setImmediate(() => request.emit('error', new Error(`no way to ${host}`)));
  return request;
};
for (const module of [http, https]) Object.assign(module, { request: refuse, get: refuse });

const Flutterwave = require(library);
const client = new Flutterwave(publicKey, secretKey);

const one = async ([group, method, data]) => {
  try {
    return await client[group][method](data);
  } catch (error) {
    return { raised: String(error.message) };
  }
};

(async () => {
  const answers = [];
  for (const call of JSON.parse(calls)) answers.push(await one(call));
  process.stdout.write(JSON.stringify({ answers, sent, refused }));
})();
