"""The comparison: "create a payment" as a plain Django view and as REST framework's tutorial writes it.

Both write the product's own table, so that row, indexes and constraints are the same; neither checks
more than its framework does by itself, knows idempotency keys, nor limits callers.
"""

import json
import secrets
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

application = get_wsgi_application()

from tillgate.payments.models import Payment  # noqa: E402  # Models come after the settings.

SHOWN = ["id", "customer_name", "customer_email", "amount", "currency", "status", "description", "gateway"]
SHOWN += ["checkout_token", "return_url", "refunded_minor", "failure", "late", "mode", "created_by"]
SHOWN += ["created_at", "expires_at", "completed_at"]


def insert(name: str, email: str, amount: Decimal) -> Payment:
    """Insert one row by the ORM."""
    now = timezone.now()
    return Payment.objects.create(
        reference=f"PAY-{secrets.token_hex(13).upper()}",
        merchant_id=1,
        mode="test",
        customer_name=name,
        customer_email=email,
        amount_minor=int(amount * 100),
        currency="NGN",
        checkout_token=secrets.token_hex(13).upper(),
        created_by="guest",
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


@csrf_exempt
def create(request: HttpRequest) -> JsonResponse:
    """A Django view without any framework on top."""
    body = json.loads(request.body)
    payment = insert(body["customer_name"], body["customer_email"], Decimal(str(body["amount"])))
    shown = {
        "id": payment.reference,
        "customer_name": payment.customer_name,
        "customer_email": payment.customer_email,
        "amount": str(Decimal(payment.amount_minor) / 100),
        "currency": payment.currency,
        "status": payment.status,
        "description": payment.description,
        "gateway": payment.gateway,
        "checkout_token": payment.checkout_token,
        "return_url": payment.return_url,
        "refunded_minor": payment.refunded_minor,
        "failure": payment.failure,
        "late": payment.late,
        "mode": payment.mode,
        "created_by": payment.created_by,
        "created_at": payment.created_at,
        "expires_at": payment.expires_at,
        "completed_at": payment.completed_at,
    }
    return JsonResponse({"payment": shown, "status": "success"}, status=201)


class PaymentIn(serializers.Serializer[Payment]):
    """What may be sent."""

    customer_name = serializers.CharField(max_length=200)
    customer_email = serializers.EmailField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=Decimal("0.01"))

    def create(self, validated_data: dict[str, Any]) -> Payment:
        return insert(
            validated_data["customer_name"], validated_data["customer_email"], validated_data["amount"]
        )


class PaymentOut(serializers.ModelSerializer[Payment]):
    """What is answered."""

    id = serializers.CharField(source="reference")
    amount = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = SHOWN

    def get_amount(self, payment: Payment) -> str:
        return str(Decimal(payment.amount_minor) / 100)


class Payments(APIView):
    """The same with REST framework as its tutorial writes it: every default left as it is."""

    def post(self, request: Request) -> Response:
        body = PaymentIn(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"payment": PaymentOut(body.save()).data, "status": "success"}, status=201)


urlpatterns = [path("django/payments", create), path("drf/payments", Payments.as_view())]
