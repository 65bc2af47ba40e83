# pip install django standardwebhooks
import os

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from standardwebhooks import Webhook, WebhookVerificationError


@csrf_exempt  # It is no form of yours: the signature says who it is from.
def hooks(request: HttpRequest) -> HttpResponse:
    try:
        event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return HttpResponse(status=400)
    print(request.headers["webhook-id"], event["type"], event["data"]["id"], event["data"].get("status"))
    return HttpResponse(status=204)
