# pip install "fastapi[standard]" standardwebhooks; WEBHOOK_SECRET=whsec_… fastapi run … --port 3000
import os

from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

app = FastAPI()


@app.post("/hooks")
async def hooks(request: Request) -> Response:
    try:
        event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(await request.body(), dict(request.headers))
    except WebhookVerificationError:
        return Response(status_code=400)
    print(request.headers["webhook-id"], event["type"], event["data"]["id"], event["data"].get("status"))
    return Response(status_code=204)
