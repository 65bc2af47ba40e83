# pip install flask standardwebhooks; WEBHOOK_SECRET=whsec_… flask --app flask_receiver run --port 3000
import os

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)


@app.post("/hooks")
def hooks() -> tuple[str, int]:
    try:
        event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 400
    print(request.headers["webhook-id"], event["type"], event["data"]["id"], event["data"].get("status"))
    return "", 204
