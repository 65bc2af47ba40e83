// npm ci; WEBHOOK_SECRET=whsec_… node receiver.js
const express = require("express");
const { Webhook } = require("standardwebhooks");

const app = express();
// The bytes as they came: JSON that was read and written again has another signature.
app.post("/hooks", express.raw({ type: "application/json" }), (request, response) => {
  let event;
  try {
    event = new Webhook(process.env.WEBHOOK_SECRET).verify(request.body.toString(), request.headers);
  } catch {
    return response.sendStatus(400);
  }
  console.log(request.headers["webhook-id"], event.type, event.data.id, event.data.status);
  response.sendStatus(204);
});
const server = app.listen(process.env.PORT || 3000, "127.0.0.1", () => console.log(server.address().port));
